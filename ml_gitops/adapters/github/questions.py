"""What is asked in GraphQL, where one question answers what REST would need dozens of calls for."""

_WHO = """
fragment who on Actor {
  __typename
  login
  ... on User { databaseId }
  ... on Bot { databaseId }
}
"""
_NOTES = """
fragment notes on IssueCommentConnection {
  pageInfo { hasNextPage endCursor }
  nodes { fullDatabaseId body createdAt updatedAt author { ...who } }
}
"""
_REVIEWS = """
fragment reviews on PullRequestReviewConnection {
  pageInfo { hasNextPage endCursor }
  nodes { state body submittedAt author { ...who } }
}
"""
_PULL = """
fragment pull on PullRequest {
  id number title body state isDraft createdAt updatedAt
  author { ...who }
  headRefName headRefOid baseRefName isCrossRepository
  headRepositoryOwner { login }
  labels(first: 100) { nodes { name } }
  mergeCommit { oid }
  mergedBy { ...who }
  comments(first: 50) { ...notes }
  reviews(first: 50) { ...reviews }
  commits(first: 20) {
    totalCount
    nodes { commit {
      author { email user { databaseId } }
      committer { email user { databaseId } }
      signature { isValid wasSignedByGitHub }
    } }
  }
  timelineItems(last: 1, itemTypes: [CLOSED_EVENT]) {
    nodes { ... on ClosedEvent { actor { ...who } } }
  }
}
"""
_ISSUE = """
fragment issue on Issue {
  id number title body issueState: state createdAt updatedAt
  author { ...who }
  labels(first: 100) { nodes { name } }
  comments(first: 50) { ...notes }
  timelineItems(last: 1, itemTypes: [CLOSED_EVENT]) {
    nodes { ... on ClosedEvent { actor { ...who } } }
  }
}
"""
_THREADS = _WHO + _NOTES + _REVIEWS + _PULL + _ISSUE

_TAGS = """
fragment tags on RefConnection {
  pageInfo { hasNextPage endCursor }
  nodes { name target {
    __typename
    ... on Tag { message tagger { date } target { __typename oid } }
  } }
}
"""
_FOLDER = "entries { name type oid object { __typename ... on Tree { %s } } }"
_LISTING = _FOLDER % (_FOLDER % "entries { name type oid }")

_NEWEST = "orderBy: {field: UPDATED_AT, direction: DESC}"


def survey(files: int) -> str:
    """Return the question after everything at once.

    Args:
        files: how many files of the default branch are asked for, as `$file0` and so on.
    """
    asked = "".join(f", $file{n}: String!" for n in range(files))
    contents = "".join(
        f"    file{n}: object(expression: $file{n})"
        " { __typename ... on Blob { byteSize isBinary isTruncated text } }\n"
        for n in range(files)
    )
    return f"""
query($owner: String!, $name: String!{asked}) {{
  viewer {{ login databaseId }}
  repository(owner: $owner, name: $name) {{
    id
    url
    defaultBranchRef {{ name }}
    pullRequests(first: 50, {_NEWEST}) {{
      pageInfo {{ hasNextPage endCursor }}
      nodes {{ ...pull }}
    }}
    issues(first: 50, {_NEWEST}) {{
      pageInfo {{ hasNextPage endCursor }}
      nodes {{ ...issue }}
    }}
    refs(refPrefix: "refs/tags/", first: 100) {{ ...tags }}
    records: ref(qualifiedName: "refs/heads/ml-gitops-records") {{
      target {{ oid ... on Commit {{ tree {{ oid {_LISTING} }} }} }}
    }}
{contents}  }}
}}
{_THREADS}{_TAGS}"""


PULLS_PAGE = f"""
query($owner: String!, $name: String!, $after: String) {{
  repository(owner: $owner, name: $name) {{
    pullRequests(first: 50, after: $after, {_NEWEST}) {{
      pageInfo {{ hasNextPage endCursor }}
      nodes {{ ...pull }}
    }}
  }}
}}
{_WHO}{_NOTES}{_REVIEWS}{_PULL}"""

ISSUES_PAGE = f"""
query($owner: String!, $name: String!, $after: String) {{
  repository(owner: $owner, name: $name) {{
    issues(first: 50, after: $after, {_NEWEST}) {{
      pageInfo {{ hasNextPage endCursor }}
      nodes {{ ...issue }}
    }}
  }}
}}
{_WHO}{_NOTES}{_ISSUE}"""

REFS_PAGE = f"""
query($owner: String!, $name: String!, $after: String) {{
  repository(owner: $owner, name: $name) {{
    refs(refPrefix: "refs/tags/", first: 100, after: $after) {{ ...tags }}
  }}
}}
{_TAGS}"""

THREAD = f"""
query($owner: String!, $name: String!, $number: Int!) {{
  viewer {{ login databaseId }}
  repository(owner: $owner, name: $name) {{
    id
    issueOrPullRequest(number: $number) {{ __typename ...pull ...issue }}
  }}
}}
{_THREADS}"""

NOTES_PAGE = f"""
query($owner: String!, $name: String!, $number: Int!, $after: String) {{
  repository(owner: $owner, name: $name) {{
    issueOrPullRequest(number: $number) {{
      ... on PullRequest {{ comments(first: 100, after: $after) {{ ...notes }} }}
      ... on Issue {{ comments(first: 100, after: $after) {{ ...notes }} }}
    }}
  }}
}}
{_WHO}{_NOTES}"""

REVIEWS_PAGE = f"""
query($owner: String!, $name: String!, $number: Int!, $after: String) {{
  repository(owner: $owner, name: $name) {{
    issueOrPullRequest(number: $number) {{
      ... on PullRequest {{ reviews(first: 100, after: $after) {{ ...reviews }} }}
    }}
  }}
}}
{_WHO}{_REVIEWS}"""


def some_threads(numbers: list[int]) -> str:
    """Return the question after threads by their numbers."""
    asked = "\n".join(
        f"    t{number}: issueOrPullRequest(number: {number}) {{ __typename ...pull ...issue }}"
        for number in numbers
    )
    return f"""
query($owner: String!, $name: String!) {{
  repository(owner: $owner, name: $name) {{
{asked}
  }}
}}
{_THREADS}"""


def some_blobs(count: int) -> str:
    """Return the question after texts by their ids, `$oid0` and so on."""
    asked = "".join(f", $oid{n}: GitObjectID!" for n in range(count))
    texts = "\n".join(
        f"    b{n}: object(oid: $oid{n}) {{ ... on Blob {{ isTruncated text }} }}"
        for n in range(count)
    )
    return f"""
query($owner: String!, $name: String!{asked}) {{
  repository(owner: $owner, name: $name) {{
{texts}
  }}
}}
"""


MOVE_REF = """
mutation($repository: ID!, $ref: GitRefname!, $old: GitObjectID!, $new: GitObjectID!) {
  updateRefs(input: {repositoryId: $repository, refUpdates: [
    {name: $ref, beforeOid: $old, afterOid: $new, force: true}
  ]}) { clientMutationId }
}
"""

MARK_READY = """
mutation($input: MarkPullRequestReadyForReviewInput!) {
  markPullRequestReadyForReview(input: $input) { clientMutationId }
}
"""

MARK_DRAFT = """
mutation($input: ConvertPullRequestToDraftInput!) {
  convertPullRequestToDraft(input: $input) { clientMutationId }
}
"""
