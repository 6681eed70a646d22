"""What a telephone line carries besides speech: silence, line noise, tones, keys, clicks, breath and hold music, made on the spot.

In: a kind's name, seconds and a seed. Out: sound at 8 kHz through a telephone's band. The one decision: every take draws its own level, pitch, tempo
and tune from the seed, so that a rule cannot learn one recording; there are kinds (bowed strings, a choir's vowel) that come near to a voice.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial

import numpy as np
import numpy.typing as npt

from phrasecheck.types import Samples

RATE = 8_000
BAND = 300, 3_400  # hertz that a telephone carries
BEEP = 450.0  # hertz of all Chinese call progress tones (GB/T 3384)
PENTATONIC = 0, 2, 4, 7, 9
VOWELS = (800, 1200, 2500), (300, 2300, 3000), (350, 750, 2400), (500, 1100, 2400), (450, 1900, 2600)  # a i u e o, roughly
KEYS = [(low, high) for low in (697, 770, 852, 941) for high in (1209, 1336, 1477, 1633)]  # ITU-T Q.23
Floats = npt.NDArray[np.float64]
Rng = np.random.Generator
Sound = Callable[[Rng, int], Floats]


def take(kind: str, seconds: float, seed: int = 0) -> Samples:
    """`seconds` of `kind` as a telephone at the other end hears it, at 8 kHz; another seed is another take."""
    rng = np.random.default_rng([seed, *kind.encode()])
    samples = round(seconds * RATE)
    sound = telephone(KINDS[kind](rng, samples))
    if np.any(sound):
        sound *= 10 ** (rng.uniform(-36, -14) / 20) / np.sqrt(np.mean(np.square(sound)))  # from faint to as loud as speech
        sound += telephone(rng.normal(0, 1, samples)) * 10 ** (rng.uniform(-70, -50) / 20)
    return np.clip(sound, -1, 1).astype(np.float32)


def telephone(sound: Floats) -> Floats:
    """What of a sound at 8 kHz lies within the band."""
    spectrum = np.fft.rfft(sound)
    hertz = np.fft.rfftfreq(len(sound), 1 / RATE)
    spectrum[(hertz < BAND[0]) | (hertz > BAND[1])] = 0
    return np.fft.irfft(spectrum, len(sound))


def clock(samples: int) -> Floats:
    """Seconds of each sample."""
    return np.arange(samples) / RATE


def sine(hertz: float, samples: int) -> Floats:
    """A tone as loud as can be."""
    return np.sin(2 * np.pi * hertz * clock(samples))


def added(sounds: Iterable[Floats], samples: int) -> Floats:
    """All of them at once."""
    whole = np.zeros(samples)
    for sound in sounds:
        whole += sound
    return whole


def coloured(rng: Rng, samples: int, fall: float = 0.0) -> Floats:
    """Noise whose power falls with the frequency to the power `fall`: 0 white, 1 pink, 2 brown."""
    spectrum = np.fft.rfft(rng.normal(0, 1, samples))
    return np.fft.irfft(spectrum / np.maximum(np.fft.rfftfreq(samples, 1 / RATE), 20) ** (fall / 2), samples)


def cadence(rng: Rng, samples: int, on: float, off: float, hertz: float = BEEP) -> Floats:
    """A tone that comes and goes, begun somewhere in its period."""
    return sine(hertz, samples) * ((clock(samples) + rng.uniform(0, on + off)) % (on + off) < on)


def hum(rng: Rng, samples: int) -> Floats:
    """Mains: 50 Hz with all that a bad rectifier adds."""
    return added((sine(50 * k, samples) * rng.uniform(0.2, 1) / k for k in range(1, 30)), samples)


def keys(rng: Rng, samples: int) -> Floats:
    """Numbers dialled, now fast and now slowly."""
    sound = np.zeros(samples)
    at = 0.3
    while at < samples / RATE - 1:
        for _ in range(rng.integers(4, 12)):
            long = round(rng.uniform(0.06, 0.25) * RATE)
            low, high = KEYS[rng.integers(len(KEYS))]
            place(sound, at, sine(low, long) + sine(high, long))
            at += long / RATE + rng.uniform(0.05, 0.3)
        at += rng.uniform(0.5, 3)
    return sound


def place(sound: Floats, at: float, piece: Floats) -> None:
    """Add a piece from second `at` on; what reaches beyond the end is cut off."""
    start = round(at * RATE)
    room = sound[start : start + len(piece)]
    room += piece[: len(room)]


def bursts(rng: Rng, samples: int, often: float, longest: float) -> Floats:
    """Clicks, crackle, typing: `often` bursts of noise a second, each dying away."""
    sound = np.zeros(samples)
    for at in rng.uniform(0, samples / RATE, rng.poisson(often * samples / RATE)):
        long = round(rng.uniform(0.002, longest) * RATE) + 8
        place(sound, at, rng.normal(0, rng.uniform(0.2, 1), long) * np.exp(-6 * np.arange(long) / long))
    return sound


def breath(rng: Rng, samples: int) -> Floats:
    """In and out through an open mouth close to the microphone: noise in a vowel's shape, one breath in three seconds."""
    swell = np.maximum(0, np.sin(2 * np.pi * clock(samples) * rng.uniform(0.25, 0.45))) ** 2
    made: Floats = shaped(coloured(rng, samples, 1), (500, 1500, 2500)) * swell
    return made


def shaped(sound: Floats, formants: tuple[float, ...]) -> Floats:
    """A sound through a mouth that resonates at `formants`."""
    hertz = np.fft.rfftfreq(len(sound), 1 / RATE)
    gain = 0.02 + added((1 / (1 + ((hertz - formant) / 120) ** 2) for formant in formants), len(hertz))
    return np.asarray(np.fft.irfft(np.fft.rfft(sound) * gain, len(sound)), np.float64)


def gsm_buzz(rng: Rng, samples: int) -> Floats:
    """A mobile telephone beside the wires: 217 pulses a second in bursts."""
    pulses = (clock(samples) * 216.68) % 1 < 0.125
    groups = (clock(samples) * rng.uniform(1.5, 3)) % 1 < rng.uniform(0.3, 0.7)
    return np.asarray(pulses & groups, np.float64)


def fax(rng: Rng, samples: int) -> Floats:
    """A fax machine calls (1100 Hz, ITU-T T.30), another answers (2100 Hz) and both warble."""
    calls = cadence(rng, samples, 0.5, 3, 1100)
    calls[samples // 2 :] = sine(2100, samples - samples // 2)
    warble = clock(samples) > 0.75 * samples / RATE
    pitch = np.where(np.repeat(rng.random(samples // 7 + 1), 7)[:samples] < 0.5, 1200, 2400)  # 1200 baud
    calls[warble] = np.sin(2 * np.pi * np.cumsum(pitch) / RATE)[warble]
    return calls


@dataclass(frozen=True, slots=True, kw_only=True)
class Instrument:
    """How a note sounds: harmonics fall as 1 / k ** `fall`; seconds of `attack`; `decay` a second; vibrato in semitones; seconds of glide from
    the note before; share of noise; formants of the body, or of the vowels that a voice sings by turns."""

    fall: float = 1.0
    attack: float = 0.01
    decay: float = 0.0
    vibrato: float = 0.0
    glide: float = 0.0
    noise: float = 0.0
    formants: tuple[tuple[float, ...], ...] = ()

    def play(self, rng: Rng, before: float, hertz: float, samples: int) -> Floats:
        """One note."""
        t = clock(samples)
        pitch = hertz * (before / hertz) ** np.exp(-t / self.glide) if self.glide else np.full(samples, hertz)
        pitch = pitch * 2 ** (self.vibrato / 12 * np.sin(2 * np.pi * rng.uniform(4.5, 6.5) * t) * np.minimum(1, t / 0.3))
        phase = 2 * np.pi * np.cumsum(pitch) / RATE
        most = max(1, int(BAND[1] / hertz))
        tone = added((np.sin(k * phase) / k**self.fall for k in range(1, most + 1)), samples) + self.noise * rng.normal(0, 1, samples)
        tone *= np.minimum(1, t / self.attack) * np.exp(-self.decay * t) * np.minimum(1, t[::-1] / 0.03)
        return shaped(tone, self.formants[rng.integers(len(self.formants))]) if self.formants else tone


INSTRUMENTS = {
    "piano": Instrument(fall=1.6, decay=2.5),
    "guitar": Instrument(fall=1.1, attack=0.003, decay=5),
    "music box": Instrument(fall=3, attack=0.002, decay=7),
    "organ": Instrument(fall=0.8, attack=0.03),
    "strings": Instrument(attack=0.12, vibrato=0.3),
    "flute": Instrument(fall=2.2, attack=0.06, vibrato=0.35, noise=0.05),
    "trumpet": Instrument(fall=0.7, attack=0.04, vibrato=0.2, formants=((1200,),)),
    "erhu": Instrument(attack=0.05, vibrato=0.6, glide=0.06, noise=0.02, formants=((450, 1300, 2800),)),
    "choir": Instrument(fall=1.2, attack=0.15, vibrato=0.5, glide=0.04, formants=((700, 1150, 2600),)),
    "singer": Instrument(fall=1.2, attack=0.06, vibrato=0.5, glide=0.05, noise=0.03, formants=VOWELS),
}


def melody(rng: Rng, samples: int, instrument: Instrument, octave: float = 0.0, voices: int = 1) -> Floats:
    """A walk over the pentatonic scale in a steady beat, `voices` notes at a time."""
    sound = np.zeros(samples)
    beat, root = rng.uniform(0.25, 0.6), rng.uniform(200, 300) * 2**octave
    before = root
    for at, long in rhythm(rng, samples / RATE, beat):
        step = int(rng.integers(-3, 8))
        for voice in range(voices):
            octaves, note = divmod(step + 2 * voice, len(PENTATONIC))
            hertz = root * 2 ** (octaves + PENTATONIC[note] / 12)
            place(sound, at, instrument.play(rng, before, hertz, round(long * RATE)))
            before = hertz
    return sound


def rhythm(rng: Rng, seconds: float, beat: float) -> Iterator[tuple[float, float]]:
    """When notes begin and how long they last; a rest now and then."""
    at = 0.0
    while at < seconds:
        long = beat * float(rng.choice([0.5, 1, 1, 2, 4]))
        if rng.random() > 0.1:
            yield at, long
        at += long


def drums(rng: Rng, samples: int) -> Floats:
    """A low drum on the beat, a cymbal between."""
    sound = np.zeros(samples)
    beat = rng.uniform(0.3, 0.6)
    long = round(0.15 * RATE)
    fading = np.exp(-30 * clock(long))
    for count, at in enumerate(np.arange(0, samples / RATE, beat / 2)):
        place(sound, at, (0.3 * rng.normal(0, 1, long) if count % 2 else np.sin(2 * np.pi * 330 * clock(long))) * fading)
    return sound


def hold_music(rng: Rng, samples: int, lead: str) -> Floats:
    """The instrument alone for a third of the time, with chords for a third, with chords, a bass and drums for the rest."""
    tune = melody(rng, samples, INSTRUMENTS[lead])
    chords = 0.3 * melody(rng, samples, INSTRUMENTS["organ" if lead == "strings" else "strings"], voices=3)
    band = 0.5 * melody(rng, samples, INSTRUMENTS["guitar"], octave=-1) + 1.5 * drums(rng, samples)
    third = clock(samples) * RATE * 3 / samples
    return tune + chords * (third > 1) + band * (third > 2)


KINDS: dict[str, Sound] = {
    "digital silence": lambda _, samples: np.zeros(samples),
    "white noise": partial(coloured, fall=0),
    "pink noise": partial(coloured, fall=1),
    "brown noise": partial(coloured, fall=2),
    "mains hum": hum,
    "ring-back": partial(cadence, on=1, off=4),
    "busy": partial(cadence, on=0.35, off=0.35),
    "congestion": partial(cadence, on=0.7, off=0.7),
    "call waiting": partial(cadence, on=0.4, off=4),
    "dial tone": partial(cadence, on=1, off=0),
    "keys (DTMF)": keys,
    "fax": fax,
    "clicks": partial(bursts, often=2, longest=0.02),
    "crackle": partial(bursts, often=60, longest=0.01),
    "typing": partial(bursts, often=6, longest=0.06),
    "breath": breath,
    "GSM buzz": gsm_buzz,
    **{f"hold music: {lead}": partial(hold_music, lead=lead) for lead in INSTRUMENTS},
}
