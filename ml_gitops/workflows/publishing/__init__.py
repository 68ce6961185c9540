"""The job that may write, and runs no code of the pull request: sixteen checks, then one comment.

Whoever trained could have written every byte that is read here, and a fork could have written the
workflow that trained. So nothing of it is run. Its numbers, and the model file that a merge ships,
are held to what GitHub itself says and to the files of the commit; what does not hold is refused
with the number of its check.
"""
