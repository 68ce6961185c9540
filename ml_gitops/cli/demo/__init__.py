"""The demo: a year of real flights, every command really run, every verdict computed."""
