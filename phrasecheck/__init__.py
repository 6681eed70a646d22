"""phrasecheck: finds forbidden service phrases (服务禁语) in Chinese motor-insurance calls and scores them per role."""

__version__ = "0.1.0"
