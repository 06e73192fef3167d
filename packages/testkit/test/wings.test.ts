import { basename, dirname } from 'node:path'
import { expect, test } from 'vitest'
import { files, findCircle, imports, textOf } from './imports.ts'

/**
 * The folders in a workspace's src, its wings, and what each may import of the same workspace: other wings, and files
 * that lie beside them. What stands nowhere is forbidden.
 */
const wings: Record<string, Record<string, readonly string[]>> = {
  'apps/cli': {
    terminal: [],
    completion: [],
    profiles: ['arguments', 'exit'],
    commands: [
      ...['advice', 'arguments', 'completion', 'context', 'exit', 'filters', 'profiles', 'terminal', 'time'],
    ],
  },
  'apps/console': {
    http: ['text'],
    routing: [],
    style: [],
    text: [],
    components: ['http', 'routing', 'style', 'text'],
    log: ['components', 'http', 'routing', 'text'],
    overview: ['components', 'http', 'routing', 'text'],
    session: ['http'],
    views: ['components', 'http', 'log', 'overview', 'routing', 'session', 'text'],
    shell: ['components', 'http', 'routing', 'session', 'style', 'views'],
  },
  'apps/consumer': {
    operate: [],
    metrics: [],
    upkeep: [],
  },
  'apps/gateway': {
    access: ['clients', 'http'],
    keys: ['access', 'clients', 'http'],
    letters: ['access', 'clients', 'http', 'pressure'],
    clients: [],
    console: ['http'],
    heads: [],
    http: ['clients'],
    sockets: ['clients', 'http'],
    pressure: ['clients'],
    publish: ['access', 'clients', 'heads', 'http', 'pressure'],
    rates: ['access', 'http', 'operate'],
    read: ['access', 'clients', 'http', 'sockets'],
    tail: ['access', 'clients', 'heads', 'http', 'sockets'],
    operate: ['access', 'clients', 'http', 'pressure', 'publish', 'sockets'],
    metrics: ['clients', 'operate', 'pressure', 'sockets'],
  },
  'apps/projector': {
    confined: [],
    definitions: ['confined'],
    operate: [],
    metrics: [],
    check: ['confined', 'definitions'],
  },
  'apps/publisher': {
    load: [],
    balance: ['load'],
  },
  'infra/bench': {
    measure: [],
    system: ['measure', 'events'],
    load: ['measure', 'events'],
    sides: ['measure', 'system', 'load', 'events', 'row'],
    rivals: ['measure', 'system', 'load', 'sides', 'events', 'row'],
    rows: ['measure', 'system', 'load', 'sides', 'rivals', 'events', 'row'],
    report: ['measure', 'heat', 'row'],
  },
  'infra/chaos': {
    clients: ['clock', 'random'],
    targets: ['clock'],
    check: ['clients', 'targets', 'clock'],
    inject: ['check', 'clients', 'targets', 'clock', 'fault', 'random'],
    abuse: ['check', 'clients', 'inject', 'targets', 'clock', 'fault'],
    faults: ['abuse', 'inject', 'targets', 'clock', 'fault'],
    report: ['check', 'inject', 'run'],
    flood: ['check', 'clients', 'report', 'targets', 'clock'],
    mutants: [],
  },
  'infra/local': {
    command: [],
    console: [],
    system: ['command'],
    tests: ['command'],
  },
  'infra/release': {
    cli: ['manifest'],
    publish: [],
  },
  'packages/api': {
    schemas: ['problems'],
    table: ['route', 'schemas'],
    openapi: ['headers', 'problem-headers', 'problems', 'problems-of', 'route', 'routes', 'schemas', 'words'],
  },
  'packages/broker': {
    redis: [],
    loss: ['redis'],
    hints: ['redis'],
    append: ['loss', 'redis'],
    turn: ['hints', 'loss', 'redis'],
    operate: ['redis'],
  },
  'packages/client': {
    connection: ['arguments', 'errors'],
    publish: ['connection', 'answers', 'arguments', 'errors'],
    read: ['connection', 'answers', 'arguments', 'errors'],
    operate: ['connection', 'answers', 'arguments', 'errors'],
  },
  'packages/core': {
    text: ['errors', 'limits'],
    event: ['text', 'errors', 'limits'],
    log: ['event', 'limits'],
    trouble: [],
    access: ['log'],
  },
  'packages/process': {
    terminal: [],
    start: [],
    loop: ['start'],
    operate: ['start'],
    metrics: ['operate', 'start'],
    traces: [],
  },
  'packages/projection': {
    'built-in': ['define'],
  },
  'packages/servers': {
    process: ['errors'],
    redis: ['process', 'errors', 'free-port', 'password', 'server', 'wait-until'],
    postgres: ['process', 'errors', 'free-port', 'password', 'server', 'wait-until'],
  },
  'packages/store': {
    postgres: [],
    turn: ['postgres'],
    read: ['postgres', 'turn'],
    projections: ['audit', 'postgres', 'read'],
    operate: ['audit', 'postgres'],
    audit: ['postgres'],
    access: ['audit', 'postgres'],
    operations: ['audit', 'postgres'],
  },
  'packages/testkit': {
    contract: [],
    processes: ['contract', 'eventually', 'servers'],
    stored: ['sample'],
  },
}

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
