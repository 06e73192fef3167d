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
    onBuilt(name, `is built: ${gzipBytes} bytes compressed, in ${folder}`)
    built.push({ name, folder })
  }
  signal.throwIfAborted()
  const cli = await buildCli()
  onBuilt(cli.name, `is built, in ${cli.folder}`)
  return [...built, cli]
}
