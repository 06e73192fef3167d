import { existsSync, globSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { problems } from '@sekali/api/problems'
import { routes } from '@sekali/api/routes'
import { expect, test } from 'vitest'
import { files, root, textOf } from './imports.ts'

/** CHANGELOG.md is about files of earlier versions, too. */
const documents = globSync('{*.md,docs/**/*.md}', { cwd: root }).filter((file) => file !== 'CHANGELOG.md')

const paths = globSync('{.ci,apps,docs,examples,infra,packages}/**/*.*', {
  cwd: root,
  exclude: (path) => ['node_modules', 'dist'].includes(basename(path)),
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
      // A page may have its reader write a file.
      .filter((name) => !textOf(file).includes(`cat > ${name}`))
      .map((name) => `${file}: ${name}`),
  )
  expect(stale).toEqual([])
})

const links = /(?:\]\(|^\[[^\]]+\]: )([^)\s#]*)(?:#([^)\s]*))?(?:\)|$)/gm

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

test('a reader finds every page of docs from README.md, and what code calls a page is one', () => {
  const pages = documents.filter((file) => /^docs\/(?!adr\/)/.test(file))
  const linked = [...textOf('README.md').matchAll(links)].map(([, to]) => to)
  expect(pages.filter((page) => !linked.includes(page))).toEqual([])
  const sources = paths.filter((path) => /\.(?:ts|mjs|sh|yml)$/.test(path))
  const gone = sources.flatMap((file) =>
    [...textOf(file).matchAll(/(?<![\w/])docs\/[\w/-]+\.md\b/g)]
      .filter(([page]) => !existsSync(join(root, page)))
      .map(([page]) => `${file}: ${page}`),
  )
  expect(gone).toEqual([])
})

test('README.md fits in 120 lines, and its lines, like those of docs, in 120 characters', () => {
  expect(textOf('README.md').trimEnd().split('\n').length).toBeLessThanOrEqual(120)
  const isPage = (file: string) => file === 'README.md' || /^docs\/(?!adr\/)/.test(file)
  const long = documents.filter(isPage).flatMap((file) =>
    writtenBy(textOf(file))
      // A row of a table cannot be broken. That of README.md is to be short.
      .filter((line) => file === 'README.md' || !line.startsWith('|'))
      .filter((line) => [...line.replace(/https?:\/\/[^\s)]+/g, '')].length > 120)
      .map((line) => `${file}: ${line}`),
  )
  expect(long).toEqual([])
})

/** The lines that a person wrote: programs write what lies between `<!-- …: begin -->` and `<!-- …: end -->`. */
const writtenBy = (text: string): string[] =>
  text.replace(/<!-- [^>]*begin -->[\s\S]*?<!-- [^>]*end -->/g, '').split('\n')

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
  const served = routes.map(
    ({ method, path }) => `${method} ${path.replace(/:(\w+)(?:\{[^}]*\})?/g, '{$1}')}`,
  )
  const table = textOf('docs/http-api.md').split('\n## ')[0] ?? ''
  const named = [...table.matchAll(/`([A-Z]+ \/[^`?]*)/g)].map(([, route]) => route)
  expect(served.length).toBeGreaterThan(10)
  expect([...new Set(named)].sort()).toEqual(served.sort())
})

test('docs/http-api.md has every code of a problem, by its status', () => {
  const codes = Object.entries(problems).map(([code, [status]]) => `${status} ${code}`)
  const rows = [...textOf('docs/http-api.md').matchAll(/^\| (\d{3}) \| (.+) \|$/gm)]
  const named = rows.flatMap(([, status, cell = '']) =>
    [...cell.matchAll(/`(\w+)`/g)].map(([, code]) => `${status} ${code}`),
  )
  expect(codes.length).toBeGreaterThan(30)
  expect(named.sort()).toEqual(codes.sort())
})
