"""Every model change is a pull request; what was reviewed is what ships."""

__version__ = "0.1.0"
