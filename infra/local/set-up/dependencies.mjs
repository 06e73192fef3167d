// Installs what package-lock.json says, once. A stamp in node_modules holds the hash of the lock file that
// was installed. Without a fitting stamp the list that npm itself keeps there decides: somebody may have
// run `npm install` by hand, and their folder is not thrown away for nothing.
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { accessSync, constants, existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { SetUpFailed } from './failure.mjs'
import { reasonOf } from './file-trouble.mjs'
import { withInstallLock } from './install-lock.mjs'
import { say } from './say.mjs'

const nodeMajor = 24
// Whatever NODE_ENV and the user's settings leave out: Node itself and PostgreSQL come as optional dependencies, one
// for each kind of machine.
const always = ['--include=dev', '--include=optional', '--no-audit', '--no-fund', '--loglevel=error']

export async function ensureDependencies(root, relay) {
  if (isInstalled(root)) return
  requireWritable(root)
  await withInstallLock(root, async () => {
    if (isInstalled(root)) return // somebody else has done it while we waited
    say('Installing dependencies (npm ci); the first time this takes a minute.')
    const ending = await runNpm(relay, root, ['ci', ...always])
    relay.endIfInterrupted()
    if (ending.code !== 0) {
      throw new SetUpFailed(
        'npm ci failed; its words are above. It needs Node 20 or newer, npm, and the network or a filled npm ' +
          'cache. ' +
          'When it says that the lock file does not fit package.json, run npm install.',
      )
    }
    writeFileSync(stampFile(root), lockHash(root))
  })
}

function requireWritable(root) {
  for (const folder of [root, join(root, 'node_modules'), join(root, '.sekali')].filter(existsSync)) {
    try {
      accessSync(folder, constants.W_OK | constants.X_OK)
    } catch (error) {
      throw new SetUpFailed(
        `The dependencies cannot be installed: ${folder} cannot be written to: ${reasonOf(error) ?? error.code}.\n` +
          'Clone into a folder of your own, or have its owner run npm ci there.',
      )
    }
  }
}

// The npm that runs us, when one does: the one on the PATH may be another.
async function runNpm(relay, root, args) {
  const npm = process.env.npm_execpath
  const [command, first] = npm?.endsWith('npm-cli.js') ? [process.execPath, [npm]] : ['npm', []]
  return await relay.run(command, [...first, ...args], { cwd: root, stdio: ['ignore', 2, 2] })
}

function isInstalled(root) {
  const stamp = stampFile(root)
  const hash = lockHash(root)
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === hash) return true
  if (!matchesNpmsList(root)) return false
  try {
    writeFileSync(stamp, hash)
  } catch {
    // Not our folder: then it is compared again the next time.
  }
  return true
}

function matchesNpmsList(root) {
  const list = join(root, 'node_modules', '.package-lock.json')
  if (!existsSync(list)) return false
  const installed = readJson(list).packages
  const wanted = Object.entries(readJson(join(root, 'package-lock.json')).packages)
  return wanted.every(([path, { version, link, optional, devOptional }]) => {
    if (!path.includes('node_modules/')) return true // the workspaces themselves
    const found = installed[path]
    if (found === undefined) return Boolean(optional || devOptional) // for other machines than this
    return link ? found.link === true : found.version === version
  })
}

function stampFile(root) {
  return join(root, 'node_modules', '.sekali-installed')
}

function lockHash(root) {
  return createHash('sha256')
    .update(readFileSync(join(root, 'package-lock.json')))
    .digest('hex')
}

function readJson(file) {
  return JSON.parse(readFileSync(file, 'utf8'))
}

/** The Node that runs TypeScript: the one among the dependencies, or our own when it is one. */
export function findNode(root) {
  const node = join(root, 'node_modules', '.bin', 'node')
  const version = versionOf(node)
  if (version?.startsWith(`v${nodeMajor}.`)) return node
  if (process.version.startsWith(`v${nodeMajor}.`)) return process.execPath
  const found = version === undefined ? 'does not run' : `is ${version}`
  throw new SetUpFailed(
    `Sekali runs on Node ${nodeMajor}. For Linux on x64 and arm64 it comes with the dependencies, but ${node} ` +
      `${found}: run npm ci --include=optional\n` +
      `Elsewhere use Node ${nodeMajor} yourself, for instance: nvm install ${nodeMajor}`,
  )
}

function versionOf(node) {
  try {
    return execFileSync(node, ['--version'], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim()
  } catch {
    return undefined // not there, or not for this machine
  }
}
