import { execFileSync } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import process from 'node:process'
import { fileURLToPath } from 'node:url'
import { temporaryFolder } from '@sekali/servers/temporary-folder'
import type { TestProject } from 'vitest/node'
import { packages } from '../src/packages.ts'

declare module 'vitest' {
  export interface ProvidedContext {
    /** The tarballs, by workspace: `packages/client`. */
    tarballs: Record<string, string>
  }
}

const root = fileURLToPath(new URL('../../..', import.meta.url))

/** Builds and packs what is published, as `npm run build` and `npm pack` do. */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const folder = await temporaryFolder('sekali-packed-')
  execFileSync(process.execPath, [join(root, 'infra/local/bootstrap.mjs'), 'build'], { stdio: 'ignore' })
  const tarballs: Record<string, string> = {}
  for (const { workspace } of packages) {
    const target = join(folder.path, workspace.replaceAll('/', '-'))
    const args = ['pack', join(root, workspace, 'dist'), '--pack-destination']
    execFileSync('mkdir', ['-p', target])
    execFileSync('npm', [...args, target], { stdio: 'ignore' })
    tarballs[workspace] = join(target, readdirSync(target)[0] ?? '')
  }
  project.provide('tarballs', tarballs)
  return async () => await folder[Symbol.asyncDispose]()
}
