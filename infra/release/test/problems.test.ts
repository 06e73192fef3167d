import { expect, test } from 'vitest'
import { problemsOf, refusalToPublish } from '../src/publish/problems.ts'

const good = {
  changes: '',
  versions: new Map([
    ['@sekali/client', '1.2.0'],
    ['@sekali/cli', '1.2.0'],
  ]),
  changelog:
    '# Changelog\n\n## Pending\n\n## 1.2.0 (2026-11-28)\n\n- Something new.\n\n## 1.1.0\n\n- Older.\n',
  repository: { type: 'git', url: 'git+https://code.example/sekali.git' },
}

test('a release whose tree, versions and changelog agree has nothing against it', () => {
  expect(problemsOf(good)).toEqual([])
})

test('what is not committed is named, and not more of it than one can read', () => {
  const changes = Array.from({ length: 7 }, (_, index) => ` M file-${index}.ts`).join('\n')
  expect(problemsOf({ ...good, changes })).toEqual([
    expect.stringMatching(/not committed: file-0\.ts, .*file-4\.ts, and 2 more\. Commit or undo them\.$/),
  ])
})

test('versions that differ are named, and each needs its section', () => {
  const versions = new Map([...good.versions, ['sekali', '1.3.0']])
  expect(problemsOf({ ...good, versions })).toEqual([
    expect.stringContaining('@sekali/client 1.2.0, @sekali/cli 1.2.0, sekali 1.3.0'),
    expect.stringContaining('no section "## 1.3.0"'),
  ])
})

test('a changelog without the section of the version, or with an empty one, is no changelog of it', () => {
  for (const changelog of [
    '# Changelog\n',
    '## Pending\n\n- New.\n',
    '## 1.2.0\n\n## 1.1.0\n\n- Older.\n',
    '## 1.2.01\n\n- x\n',
  ])
    expect(problemsOf({ ...good, changelog })).toEqual([expect.stringContaining('"## 1.2.0"')])
})

test('a repository that package.json does not name is asked for, with what to write', () => {
  for (const repository of [undefined, null, 'github:sekali/sekali', {}, { type: 'git', url: '' }]) {
    expect(problemsOf({ ...good, repository })).toEqual([
      expect.stringMatching(/provenance .*E422.*"repository": \{ "type": "git", "url": "git\+https:/),
    ])
  }
})

test('packages are published from CI alone, where their provenance can be signed', () => {
  expect(refusalToPublish({})).toContain('use --dry-run')
  expect(refusalToPublish({ GITHUB_ACTIONS: 'true' })).toBeDefined()
  expect(
    refusalToPublish({ GITHUB_ACTIONS: 'true', ACTIONS_ID_TOKEN_REQUEST_URL: 'https://x' }),
  ).toBeUndefined()
  expect(refusalToPublish({ GITLAB_CI: 'true', SIGSTORE_ID_TOKEN: 'x' })).toBeUndefined()
})
