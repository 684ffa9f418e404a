"""The exceptions of intgold: one line each that names the thing and the value."""

from .support.quoting import one_line


class IntgoldError(Exception):
    """Base of every error that intgold raises on purpose.

    Its text is one printable line of at most 2,000 characters, whatever a file or a caller put
    into it (see `intgold.support.quoting.one_line`). The commands print it and exit with status 2.
    """

    def __init__(self, message: object = "") -> None:
        super().__init__(one_line(str(message)))


class DataError(IntgoldError):
    """A data set or an image file is missing, damaged or not what it claims to be."""


class ModelError(IntgoldError):
    """A model breaks a rule of SPEC.md: a field, a shape, a range or the int32 proof."""


class ArtefactError(ModelError):
    """A model file cannot be loaded: truncated, foreign, of a newer version, and the like."""


class InputError(IntgoldError):
    """An array handed to a model has the wrong dtype, shape or order."""


class VectorError(IntgoldError):
    """A golden-vector set or a device dump is damaged, incomplete or foreign."""


class EngineError(IntgoldError):
    """An engine could not run: the C engine refused a call, or the memory did not suffice."""


class LayoutError(VectorError):
    """A layout file breaks a rule, or does not fit an array."""


class ImportFileError(IntgoldError):
    """A file of another tool is damaged, or asks for what no contract or op provides."""


class ContractError(IntgoldError):
    """There is no contract of this name."""
