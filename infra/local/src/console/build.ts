/**
 * Has the console built in a clone, where nothing that is built is committed. That takes less than a second, and is done
 * again only when its sources, or what it is built with, have changed: a digest of them stands beside what was built.
 */
import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join, relative } from 'node:path'
import process from 'node:process'

const app = 'apps/console'
const sources = ['package.json', 'build.ts', 'index.html', 'tsconfig.json'].map((name) => `${app}/${name}`)
/** All that lies in them; what the console imports of the core is bundled with it. */
const folders = [`${app}/src`, 'packages/core/src']

/**
 * Builds the console of the clone at `root` unless it is built. Never rejects: the system runs without it, and its page
 * then says how to build it. `onEvent` is called with what happens.
 */
export async function ensureConsole(
  root: string,
  onEvent: (part: string, what: string) => void,
): Promise<void> {
  try {
    const digest = await digestOf(root)
    const stamp = join(root, app, 'dist', 'sources.sha256')
    const isThere = existsSync(join(root, app, 'dist', 'index.html'))
    if (isThere && (await readFile(stamp, 'utf8').catch(() => '')) === digest) return
    onEvent('console', 'is being built, as its sources are new')
    await build(root)
    await writeFile(stamp, digest)
    onEvent('console', 'is built')
  } catch (error) {
    onEvent('console', `is not built, and all else runs: ${(error as Error).message}`)
  }
}

async function digestOf(root: string): Promise<string> {
  const inFolders = await Promise.all(folders.map((folder) => filesIn(root, folder)))
  const hash = createHash('sha256')
  for (const file of ['package-lock.json', ...sources, ...inFolders.flat().sort()]) {
    hash.update(`${file}\0`).update(await readFile(join(root, file)))
  }
  return hash.digest('hex')
}

async function filesIn(root: string, folder: string): Promise<string[]> {
  const all = await readdir(join(root, folder), { recursive: true, withFileTypes: true })
  return all.filter((one) => one.isFile()).map((one) => relative(root, join(one.parentPath, one.name)))
}

/** In a process of its own: what `npm start` itself is made of need not have a bundler in it. */
async function build(root: string): Promise<void> {
  const child = spawn(process.execPath, [join(root, app, 'build.ts')], {
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  const said = child.stderr.setEncoding('utf8').toArray()
  const [code] = await once(child, 'close')
  if (code !== 0) throw new Error(reasonIn((await said).join('')))
}

/** The line that names the error: around it stand the source and a stack. */
const reasonIn = (said: string): string =>
  said
    .split('\n')
    .find((line) => /\berror\b/i.test(line))
    ?.trim() ?? 'its build failed'
