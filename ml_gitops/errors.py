"""What can go wrong: one line that says what, where, and what to do.

A failed gate is an outcome, not an error, but for parity: what it refuses is never kept. The rest
is either something the user can fix (exit 2) or something that may pass by itself (exit 75).
"""

EXIT_PASSED = 0
EXIT_FAILED = 1
EXIT_FIXABLE = 2
EXIT_BUG = 3
EXIT_TRY_AGAIN = 75
EXIT_INTERRUPTED = 130


class MlGitopsError(Exception):
    """Report a problem that the user can fix.

    Args:
        problem: what is wrong, naming the key, column or command.
        hint: what to do about it, an imperative clause.
        where: the file, `file:line`, branch or address it was found in.
    """

    exit_code = EXIT_FIXABLE

    def __init__(self, problem: str, *, hint: str, where: str | None = None) -> None:
        super().__init__(problem)
        self.problem = problem
        self.hint = hint
        self.where = where

    def __str__(self) -> str:
        """Join place, problem and remedy into one line."""
        line = f"{self.problem}; {self.hint}"
        line = f"{self.where}: {line}" if self.where else line
        return " ".join(line.split())


class ConfigError(MlGitopsError):
    """A file that people write (`ml-gitops.toml`, `params.toml`) does not hold."""


class DocumentError(MlGitopsError):
    """A file that machines write does not hold."""


class DataError(MlGitopsError):
    """Rows are missing, or are not what the contract says."""


class TrainingError(MlGitopsError):
    """The author's pipeline cannot be built, fitted or evaluated."""


class ExportError(MlGitopsError):
    """The fitted pipeline cannot become an ONNX file that answers the same."""


class ParityError(ExportError):
    """The ONNX file was made and answers differently: a gate that failed."""

    exit_code = EXIT_FAILED


class GitError(MlGitopsError):
    """Git refused."""


class ForgeError(MlGitopsError):
    """The forge refused."""


class BranchTaken(ForgeError):
    """The branch that a proposal would be written to belongs to somebody else."""


class ServiceError(MlGitopsError):
    """A Bento cannot be built or served."""


class TryAgain(MlGitopsError):
    """Report a refusal that may pass by itself: contention, limits, outages."""

    exit_code = EXIT_TRY_AGAIN
