"""The model: its rows (`data.py`) and how it learns from them (`pipeline.py`)."""
