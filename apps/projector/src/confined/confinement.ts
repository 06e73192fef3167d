/**
 * How the process that runs definitions is kept from everything but folding. Node's own rules (`--permission`) are a seat
 * belt: they keep code from files, programs and threads, and have no rule for the network. So, where the machine lets us,
 * the kernel puts walls around the process: no network, no signals to other processes, a user without rights, limits.
 * SECURITY.md says what remains.
 */
import { existsSync, realpathSync } from 'node:fs'
import { dirname, join } from 'node:path'
import process from 'node:process'
import { fileURLToPath } from 'node:url'
import { isBuilt, placeOf } from '@sekali/core/place'
import { noteBytes } from './fold-protocol.ts'

export interface Walls {
  readonly network: 'none' | 'shared'
  readonly user: 'nobody' | 'same'
  readonly limits: 'set' | 'memory of JavaScript only'
  /** What stands before `node` on the command line. */
  readonly command: readonly string[]
}

/**
 * What a process needs besides JavaScript's own memory, Buffers included. V8 sets half of it aside, for code; with less
 * no process would start.
 */
const otherMb = 1_024
const nobody = '65534'
/** setpriv ends the process with its parent, even when the parent is killed and the process is in an endless loop. */
const endWithParent = ['setpriv', '--pdeathsig', 'KILL']

/** From the best walls to none; trying them finds those that a machine has. */
export function wallsFor(memoryMb: number): readonly Walls[] {
  if (process.platform !== 'linux') return [open]
  const limits = [
    ...[
      'prlimit',
      '--core=0',
      `--fsize=${noteBytes}`,
      '--nofile=64',
      `--data=${(memoryMb + otherMb) * 1024 * 1024}`,
      '--',
    ],
  ]
  const inside = [...endWithParent, '--no-new-privs']
  const asNobody = [
    `--reuid=${nobody}`,
    `--regid=${nobody}`,
    '--clear-groups',
    '--bounding-set=-all',
    '--inh-caps=-all',
  ]
  const apart = (...more: string[]) => [
    ...endWithParent,
    '--',
    'unshare',
    ...more,
    '--net',
    '--ipc',
    '--pid',
    '--kill-child',
    '--',
    ...inside,
  ]
  const set = { limits: 'set' } as const
  return [
    ...(process.getuid?.() === 0
      ? [
          {
            ...set,
            network: 'none',
            user: 'nobody',
            command: [...apart(), ...asNobody, '--', ...limits],
          } as const,
        ]
      : []),
    { ...set, network: 'none', user: 'same', command: [...apart('--user'), '--', ...limits] },
    { ...set, network: 'shared', user: 'same', command: [...inside, '--', ...limits] },
    { ...open, command: [...inside, '--'] },
    open,
  ]
}

const open: Walls = { network: 'shared', user: 'same', limits: 'memory of JavaScript only', command: [] }

/**
 * The flags of Node itself. A batch of a thousand events with its states takes several megabytes, which are garbage a moment
 * later: with 4 MB for young objects, and threads to collect them, a fold took half as long again.
 */
export const nodeFlags = (memoryMb: number, dir: string | undefined): string[] => [
  '--permission',
  ...readable(dir).map((path) => `--allow-fs-read=${path}`),
  '--frozen-intrinsics',
  '--disable-warning=ExperimentalWarning',
  `--max-old-space-size=${memoryMb}`,
  '--max-semi-space-size=16',
  '--no-parallel-scavenge',
]

/** The repository, or the folder of what is built. */
const root = fileURLToPath(placeOf(import.meta.url, '../../../..', '.'))
/** What fold-main.ts imports. In the package it is built apart from all else, so that this folder is the whole of it. */
const ours = isBuilt
  ? ['confined']
  : [
      ...['apps/projector/src', 'apps/projector/package.json', 'packages/core', 'packages/projection'],
      ...['node_modules/@sekali/core', 'node_modules/@sekali/projection', 'node_modules/valibot'],
      'package.json',
    ]

/** Our own code, the definitions, and where Node looks for what they import: packages, and the type of their modules. */
function readable(dir: string | undefined): string[] {
  const theirs = dir === undefined ? [] : withReal(dir)
  const above = theirs
    .flatMap(ancestors)
    .flatMap((folder) => [join(folder, 'node_modules'), join(folder, 'package.json')])
  const all = new Set([
    ...ours.flatMap((path) => withReal(join(root, path))),
    ...theirs,
    ...above.filter(existsSync).flatMap(withReal),
  ])
  // A folder before what lies in it: Node refuses a folder that is allowed after a part of it.
  return [...all].toSorted((a, b) => a.length - b.length)
}

/** Node reads a module where its links lead to. */
const withReal = (path: string): string[] => [path, ...(existsSync(path) ? [realpathSync(path)] : [])]

function ancestors(dir: string): string[] {
  const parent = dirname(dir)
  return parent === dir ? [] : [parent, ...ancestors(parent)]
}
