import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { repositoryRoot } from '@sekali/local/repository'

export interface Tarball {
  readonly name: string
  readonly version: string
  readonly file: string
  /** Bytes, compressed. */
  readonly size: number
  readonly files: readonly string[]
}

/** Packs a folder, from the root, into another folder. */
export async function pack(folder: string, to: string): Promise<Tarball> {
  const args = ['pack', join(repositoryRoot, folder), '--json', '--pack-destination', to]
  const { stdout } = await promisify(execFile)('npm', args, { maxBuffer: 2 ** 24 })
  const [{ name, version, filename, size, files }] = JSON.parse(stdout)
  return {
    name,
    version,
    file: join(to, filename),
    size,
    files: files.map(({ path }: { path: string }) => path),
  }
}

/** What npm is called with to publish a tarball. */
export const publishArgs = (file: string): string[] => ['publish', file, '--access', 'public', '--provenance']
