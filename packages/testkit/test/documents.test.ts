import { existsSync, globSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { expect, test } from 'vitest'
import { files, root, textOf } from './imports.ts'

/** CHANGELOG.md is about files of earlier versions, too. */
const documents = globSync('{*.md,docs/**/*.md}', { cwd: root }).filter((file) => file !== 'CHANGELOG.md')

const paths = globSync('{.ci,apps,docs,examples,infra,packages}/**/*.*', {
  cwd: root,
  exclude: (path) => basename(path) === 'node_modules',
})

/** `packages/store/src/turn/turn.ts` is also called `store/turn/turn.ts`, and `turn.ts` beside its neighbours. */
const names = new Set(
  paths.flatMap((path) => {
    const parts = path.split('/')
    const short = path.replace(/^[a-z]+\//, '').replace('/src/', '/')
    return [short, ...parts.map((_, from) => parts.slice(from).join('/'))]
  }),
)

const code = /`[^`]+`|^ {4,}.+$/gm
const named = /(?<![\w/.*<$-])(?:[\w.-]+\/)*[\w.-]+\.(?:ts|mjs|sh|sql)\b(?![\w/.*-])/g

test('documents name only files that are there', () => {
  const stale = documents.flatMap((file) =>
    [...textOf(file).matchAll(code)]
      .flatMap(([span]) => span.match(named) ?? [])
      .filter((name) => !names.has(name) && !existsSync(join(root, dirname(file), name)))
      .map((name) => `${file}: ${name}`),
  )
  expect(stale).toEqual([])
})

const links = /\]\(([^)\s#]*)(?:#([^)\s]*))?\)/g

test('links between documents lead to a file, and to a heading in it', () => {
  const dead = documents.flatMap((file) =>
    [...textOf(file).matchAll(links)]
      .filter(([, to = '']) => !/^[a-z]+:/.test(to))
      .filter(([, to = '', heading]) => {
        const target = to === '' ? file : join(dirname(file), to)
        if (!existsSync(join(root, target))) return true
        return heading !== undefined && !headingsOf(target).includes(heading)
      })
      .map(([link]) => `${file}: ${link}`),
  )
  expect(dead).toEqual([])
})

/** As GitHub makes anchors of headings. */
const headingsOf = (file: string): string[] =>
  [...textOf(file).matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replace(/[^\w\s-]/g, '')
      .replace(/ /g, '-'),
  )

test('ARCHITECTURE.md names every workspace and every wing', () => {
  const tree = textOf('ARCHITECTURE.md').split('\n## Where things live\n')[1] ?? ''
  const entries = new Map(
    tree.split(/^ {4}(?=\w)/m).map((entry) => [/^\S+/.exec(entry)?.[0] ?? '', entry] as const),
  )
  const missing = files
    .filter((file) => file.split('/')[2] === 'src')
    .map((file) => ({ workspace: file.split('/', 2).join('/'), wing: file.split('/').slice(3, -1)[0] }))
    .filter(({ workspace, wing }) => {
      const entry = entries.get(workspace)
      return entry === undefined || (wing !== undefined && !entry.includes(`${wing}/`))
    })
    .map(({ workspace, wing }) => `${workspace} ${wing ?? ''}`)
  expect([...new Set(missing)]).toEqual([])
})

test('docs/http-api.md names every route of the gateway, and no other', () => {
  const row = /method: '(\w+)', path: '([^']+)'/g
  const routes = ['routes.ts', 'operate/probes.ts'].flatMap((file) =>
    [...textOf(`apps/gateway/src/${file}`).matchAll(row)].map(
      ([, method, path = '']) => `${method} ${path.replace(/:(\w+)(?:\{[^}]*\})?/g, '{$1}')}`,
    ),
  )
  const table = textOf('docs/http-api.md').split('\n## ')[0] ?? ''
  const named = [...table.matchAll(/`([A-Z]+ \/[^`?]*)/g)].map(([, route]) => route)
  expect(routes.length).toBeGreaterThan(10)
  expect([...new Set(named)].sort()).toEqual(routes.sort())
})
