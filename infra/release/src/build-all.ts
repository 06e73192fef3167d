import { buildPackage } from './build-package.ts'
import { buildCli } from './cli/build-cli.ts'
import { packages } from './packages.ts'

export interface BuiltFolder {
  readonly name: string
  /** What `npm pack` packs, from the root. */
  readonly folder: string
}

/** Builds all packages that are published. `onBuilt` is called with the name of each, and what it has become. */
export async function buildAll(
  onBuilt: (name: string, what: string) => void,
  signal: AbortSignal,
): Promise<BuiltFolder[]> {
  const built: BuiltFolder[] = []
  for (const one of packages) {
    signal.throwIfAborted()
    const { name, folder, gzipBytes } = await buildPackage(one)
    onBuilt(name, `is built: ${sizesOf(gzipBytes)} bytes compressed, in ${folder}`)
    built.push({ name, folder })
  }
  signal.throwIfAborted()
  const cli = await buildCli()
  onBuilt(cli.name, `is built, in ${cli.folder}`)
  return [...built, cli]
}

/** For instance `9510 (./operate 5204)`. */
function sizesOf({ '.': own, ...others }: Readonly<Record<string, number>>): string {
  const further = Object.entries(others).map(([door, bytes]) => `${door} ${bytes}`)
  return further.length === 0 ? String(own) : `${own} (${further.join(', ')})`
}
