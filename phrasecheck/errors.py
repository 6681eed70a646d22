"""One base error, and one class per cause a caller can act on. Messages say what was expected, what came, what to do."""


class PhrasecheckError(Exception):
    """Base of all our errors; its text is Chinese and meant for the user."""


class AudioError(PhrasecheckError):
    """A recording could not be read. The other recordings of a batch go on."""


class LexiconError(PhrasecheckError):
    """A lexicon file is wrong. `problems` holds one line a problem, each with file, line number and reason."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("词库有误：\n" + "\n".join(problems))
        self.problems = problems


class ModelError(PhrasecheckError):
    """Weights are missing, or their hash is wrong."""


class InputError(PhrasecheckError):
    """A text, metadata or option given by the user cannot be used."""


class TooLargeError(PhrasecheckError):
    """What was sent is larger than the settings allow."""


class StoreError(PhrasecheckError):
    """The database or the recordings cannot be used: not there, full, or of another version."""


class NotFoundError(PhrasecheckError):
    """No such call, hit, account ..."""


class RefusedError(PhrasecheckError):
    """The state of the thing, or the permission of the person, does not allow it."""


class LeaseLostError(PhrasecheckError):
    """A worker was away too long and its call was handed to another; what it made is not to be stored."""
