/**
 * Bundles each door of a package with everything of ours that it imports, types included. What is of others stays an
 * import, so that its licence and its updates come with its own package.
 *
 * Each door is a file of its own: files that doors share would cost the first one a tenth of its size. But what is thrown
 * comes from the first door in all of them, or `instanceof` would depend on where a class was imported from.
 */
import { join } from 'node:path'
import { repositoryRoot } from '@sekali/local/repository'
import { parseAst } from 'rolldown/parseAst'
import { build, type Rolldown } from 'tsdown'
import { fileOf } from './manifest.ts'
import type { PublishedPackage } from './packages.ts'

export interface Bundle {
  readonly files: readonly { readonly name: string; readonly text: string }[]
  /** Modules of others that it imports. */
  readonly imported: ReadonlySet<string>
}

/** Writes `dist` of the workspace anew. */
export async function bundle({
  workspace,
  doors,
  platform,
  ofFirst = [],
}: PublishedPackage): Promise<Bundle> {
  const [first, ...further] = Object.values(doors).map(({ source }) => source)
  if (first === undefined) throw new Error(`${workspace} has no door`)
  const fromIt = fromFirst(
    `./${fileOf(first)}.js`,
    ofFirst.map((module) => join(repositoryRoot, module)),
  )
  const chunks = await bundleDoor({ workspace, source: first, platform, plugins: [], clean: true })
  for (const source of further) {
    chunks.push(...(await bundleDoor({ workspace, source, platform, plugins: [fromIt], clean: false })))
  }
  const own = new Set(chunks.map(({ fileName }) => `./${fileName}`))
  const imports = chunks.flatMap((chunk) => [...chunk.imports, ...chunk.dynamicImports])
  return {
    files: chunks.map(({ fileName, code }) => ({ name: fileName, text: code })),
    imported: new Set(imports.filter((id) => !own.has(id))),
  }
}

interface DoorOptions extends Pick<PublishedPackage, 'workspace' | 'platform'> {
  readonly source: string
  readonly plugins: readonly Rolldown.Plugin[]
  /** Whether what is there is deleted first. */
  readonly clean: boolean
}

async function bundleDoor({ workspace, source, platform, plugins, clean }: DoorOptions) {
  const { bundles } = await build({
    config: false,
    cwd: join(repositoryRoot, workspace),
    tsconfig: join(repositoryRoot, 'tsconfig.json'),
    entry: { [fileOf(source)]: source },
    format: 'esm',
    dts: true,
    outDir: 'dist',
    clean,
    platform,
    // What Node 20 and browsers of 2023 know.
    target: 'es2022',
    // A page loads it. Names of classes are the names of errors, and those of functions are in its stack traces.
    minify: {
      compress: { keepNames: { class: true, function: false } },
      mangle: { keepNames: { class: true, function: false }, toplevel: false },
    },
    plugins: [linesPlugin, ...plugins],
    fixedExtension: false,
    deps: { alwaysBundle: isOurs, neverBundle: isOfOthers, onlyBundle: [/^@sekali\//] },
    banner: { dts: types },
    logLevel: 'error',
    checks: { pluginTimings: false },
    report: false,
  })
  return bundles.flatMap(({ chunks }) => chunks).filter((chunk) => chunk.type === 'chunk')
}

/** Makes imports of these modules imports of the first door, in code and in types. */
const fromFirst = (door: string, modules: readonly string[]): Rolldown.Plugin => ({
  name: 'from-the-first-door',
  async resolveId(source, importer, options) {
    const found = await this.resolve(source, importer, { ...options, skipSelf: true })
    return found !== null && modules.includes(found.id) ? { id: door, external: true } : undefined
  },
})

const linesPlugin = {
  name: 'a-line-for-each-statement',
  generateBundle(_options: unknown, output: Record<string, { fileName: string; code?: string }>) {
    for (const file of Object.values(output)) {
      if (file.fileName.endsWith('.js') && file.code !== undefined) file.code = breakLines(file.code)
    }
  },
}

// Types that not every project's `lib` has: AsyncDisposable.
const types = '/// <reference lib="esnext.disposable" />'

const isOurs = (id: string): boolean => id.startsWith('@sekali/')
const isOfOthers = (id: string): boolean => /^[\w@]/.test(id) && !isOurs(id)

/**
 * A line for each statement. Node prints the line of an error that nobody caught before its message, and of a file that is
 * one line this is all of it. Breaks cost 4 % of the compressed size, where white space throughout would cost 12 %.
 * They stand before each statement of a list, where only `{`, `}` or `;` can stand, and behind commas of `const`.
 */
export function breakLines(code: string): string {
  const starts = new Set<number>()
  collect(parseAst(code), starts)
  let lines = ''
  let from = 0
  for (const start of [...starts].sort((a, b) => a - b)) {
    lines += `${code.slice(from, start).trimEnd()}\n`
    from = start
  }
  return (lines + code.slice(from)).trimStart()
}

function collect(node: unknown, starts: Set<number>): void {
  if (typeof node !== 'object' || node === null) return
  for (const [name, value] of Object.entries(node)) {
    if (Array.isArray(value)) {
      const listed =
        name === 'body' || name === 'cases' ? value : name === 'declarations' ? value.slice(1) : []
      for (const { start } of listed) starts.add(start)
    }
    collect(value, starts)
  }
}
