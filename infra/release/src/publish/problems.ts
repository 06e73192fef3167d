/** Why a release has to wait, found before anything is built. */

export interface ReleaseFacts {
  /** `git status --porcelain`: empty when all is committed. */
  readonly changes: string
  /** By name, of all packages that are published and of the repository itself. */
  readonly versions: ReadonlyMap<string, string>
  readonly changelog: string
  /** Of the root's package.json, whatever it says. */
  readonly repository: unknown
}

const namedMax = 5

/** One sentence each, with what to do. */
export function problemsOf({ changes, versions, changelog, repository }: ReleaseFacts): string[] {
  const problems: string[] = []
  const changed = changes.split('\n').filter(Boolean)
  if (changed.length > 0) {
    const more = changed.length > namedMax ? `, and ${changed.length - namedMax} more` : ''
    const files = changed.slice(0, namedMax).map((line) => line.slice(3))
    problems.push(
      `There are changes that are not committed: ${files.join(', ')}${more}. Commit or undo them.`,
    )
  }
  const distinct = new Set(versions.values())
  if (distinct.size > 1) {
    const named = [...versions].map(([name, version]) => `${name} ${version}`)
    problems.push(`The versions differ: ${named.join(', ')}. Write the same one into each package.json.`)
  }
  for (const version of distinct) {
    if (sectionOf(changelog, version)) continue
    problems.push(`CHANGELOG.md has no section "## ${version}", or nothing in it. Name the pending one so.`)
  }
  if (!hasUrl(repository)) {
    problems.push(
      'package.json names no repository, and npm refuses provenance without (E422). Add to it ' +
        '"repository": { "type": "git", "url": "git+https://…" }, the repository that CI publishes from.',
    )
  }
  return problems
}

const hasUrl = (repository: unknown): boolean =>
  typeof repository === 'object' &&
  repository !== null &&
  'url' in repository &&
  typeof repository.url === 'string' &&
  repository.url !== ''

/** A heading may also have the date: `## 1.2.0 (2026-11-28)`. */
function sectionOf(changelog: string, version: string): boolean {
  const sections = changelog.split(/^## /m).slice(1)
  const section = sections.find((text) => text.split(/[\s(]/, 1)[0] === version)
  return section !== undefined && section.split('\n').slice(1).join('').trim() !== ''
}

/**
 * Why this machine may not publish; undefined if it may. Provenance says which commit and which run made a package, signed by
 * who runs the CI: so it comes from there, with its token (OIDC), and from nowhere else.
 */
export function refusalToPublish(env: NodeJS.ProcessEnv): string | undefined {
  const onGitHub = env.GITHUB_ACTIONS === 'true' && env.ACTIONS_ID_TOKEN_REQUEST_URL !== undefined
  const onGitLab = env.GITLAB_CI === 'true' && env.SIGSTORE_ID_TOKEN !== undefined
  if (onGitHub || onGitLab) return
  return (
    'Packages are published from CI, which signs where they come from: GitHub Actions with "id-token: write", or ' +
    'GitLab CI with SIGSTORE_ID_TOKEN. Here, use --dry-run.'
  )
}
