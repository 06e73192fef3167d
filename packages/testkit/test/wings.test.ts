import { basename, dirname } from 'node:path'
import { expect, test } from 'vitest'
import { files, findCircle, imports, textOf } from './imports.ts'
import { wings } from './wings.ts'

const sources = files.filter((file) => file.split('/')[2] === 'src')
const flatFilesMax = 8
const linesMax = 250
const medianLinesMax = 80

/** The wing that a file is in, or the file itself where it lies beside the wings. */
function placeOf(file: string): string {
  const [, , , first = '', inside] = file.split('/')
  return inside === undefined ? first.replace(/\.tsx?$/, '') : first
}

const isInside = (file: string): boolean => dirname(file).split('/').length > 3

/** Imports of one file of a workspace's src by another. */
const within = imports.filter(
  ({ workspace, file, target }) =>
    file.startsWith(`${workspace}/src/`) && target?.startsWith(`${workspace}/src/`),
)

test('a wing imports only what is drawn', () => {
  const strays = within.filter(({ workspace, file, target = '' }) => {
    const to = placeOf(target)
    return isInside(file) && placeOf(file) !== to && !wings[workspace]?.[placeOf(file)]?.includes(to)
  })
  expect(strays.map(({ file, from }) => `${file} imports ${from}`)).toEqual([])
})

test('every wing is drawn, and every arrow that is drawn is used', () => {
  const used = new Map<string, Set<string>>()
  for (const file of sources.filter(isInside)) {
    used.set(`${file.split('/', 2).join('/')} ${placeOf(file)}`, new Set())
  }
  for (const { workspace, file, target = '' } of within) {
    if (placeOf(file) !== placeOf(target)) used.get(`${workspace} ${placeOf(file)}`)?.add(placeOf(target))
  }
  const drawn = Object.entries(wings).flatMap(([workspace, ofIt]) =>
    Object.entries(ofIt).map(([wing, arrows]) => [`${workspace} ${wing}`, [...arrows].sort()]),
  )
  expect([...used].map(([wing, arrows]) => [wing, [...arrows].sort()]).sort()).toEqual(drawn.sort())
})

test('no circle goes through wings and the files beside them', () => {
  const circles = Object.keys(wings).map((one) => {
    const arrows = new Map<string, Set<string>>()
    for (const { workspace, file, target = '' } of within) {
      if (workspace !== one || placeOf(file) === placeOf(target)) continue
      arrows.set(placeOf(file), (arrows.get(placeOf(file)) ?? new Set()).add(placeOf(target)))
    }
    return findCircle(arrows)
  })
  expect(circles.filter(Boolean)).toEqual([])
})

test('no circle goes through files, types included', () => {
  const arrows = new Map<string, Set<string>>()
  for (const { file, target } of imports) {
    if (target !== undefined) arrows.set(file, (arrows.get(file) ?? new Set()).add(target))
  }
  expect(findCircle(arrows)).toBeUndefined()
})

test('a circle would be found', () => {
  const round = new Map([
    ['a', new Set(['b'])],
    ['b', new Set(['c', 'd'])],
    ['c', new Set<string>()],
    ['d', new Set(['b'])],
  ])
  expect(findCircle(round)).toEqual(['b', 'd', 'b'])
})

test('a src has few files beside its wings, and a file is short', () => {
  const flat = Map.groupBy(
    sources.filter((file) => !isInside(file)),
    (file) => file.split('/', 2).join('/'),
  )
  const crowded = flat.entries().filter(([, ofIt]) => ofIt.length > flatFilesMax)
  expect([...crowded].map(([workspace, ofIt]) => [workspace, ofIt.length])).toEqual([])
  const lines = files
    .map((file) => [textOf(file).split('\n').length - 1, file] as const)
    .sort(([a], [b]) => a - b)
  expect(lines.filter(([length]) => length > linesMax)).toEqual([])
  expect(lines[Math.floor(lines.length / 2)]?.[0]).toBeLessThanOrEqual(medianLinesMax)
})

test('a comment names only files that are there', () => {
  const names = new Set(files.map((file) => basename(file)))
  const paths = new Set(files.map((file) => file.replace(/^[a-z]+\//, '').replace('/src/', '/')))
  const stale = sources.flatMap((file) =>
    [...textOf(file).matchAll(/^\s*(?:\/\/|\/?\*).*$/gm)].flatMap(([line]) =>
      [...line.matchAll(/(?<![\w/.-])((?:[\w-]+\/)*[\w-]+\.ts)\b/g)]
        .map(([, name = '']) => name)
        .filter((name) => !(name.includes('/') ? isThere(name, paths) : names.has(name)))
        .map((name) => `${file}: ${name}`),
    ),
  )
  expect(stale).toEqual([])
})

const isThere = (name: string, paths: ReadonlySet<string>): boolean =>
  paths.has(name) || files.some((file) => file === name || file.endsWith(`/${name}`))
