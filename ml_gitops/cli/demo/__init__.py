"""The demo: real flights of 2013, every command really run, every verdict computed."""
