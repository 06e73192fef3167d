// PostgreSQL refuses to run as root, so root runs it as `nobody`. The other programs follow: a process that can be
// broken into should not be root's. That user must reach the programs and the data, and both may lie below a
// directory that is closed to it (/root, or one that mktemp -d makes). Opening such a directory, or moving things
// elsewhere, is not ours to do. So there the process keeps one power of root's: to walk through directories and
// read (dac_read_search). Containers often lack it but have dac_override, which includes it. PostgreSQL asks
// access(2) about its programs, and access(2) ignores such a power unless the process keeps its powers when it
// changes its user id (no_setuid_fixup). All other powers end when the program is executed. The ways are tried in
// this order by really running the program, because ACLs and security modules decide too, not only mode bits.
import { execFileSync, spawnSync } from 'node:child_process'
import process from 'node:process'
import { ServerFailed } from '../errors.ts'
import { dieWithParent } from './parent-death.ts'

/** How to run a program so that it is not root's process. */
export interface Unprivileged {
  /** Who it is then; undefined when we are not root and it is simply us. */
  readonly owner: { readonly uid: number; readonly gid: number } | undefined
  readonly uid?: number
  readonly gid?: number
  /** The command and what goes before the program's own arguments. */
  command(
    program: string,
    dieBy?: 'TERM' | 'INT',
  ): { readonly command: string; readonly prefix: readonly string[] }
}

const powers = ['dac_read_search', 'dac_override']

/** For PostgreSQL, which does not run as root. */
export function findUnprivileged(program: string, dir: string): Unprivileged {
  const way = tryUnprivileged(program, dir)
  if (way !== undefined) return way
  throw new ServerFailed(
    `PostgreSQL does not run as root, and the user nobody cannot get to ${program} or to ${dir}. ` +
      'Keep both where other users may enter (chmod o+x on the directories above), or start as an ' +
      'ordinary user.',
  )
}

/** Without another user: for programs that had better run as root than not at all. */
export const asWeAre: Unprivileged = { owner: undefined, command: plainly }

/** The options of spawn() that make a process another user's. */
export const userOf = ({ uid, gid }: Unprivileged): { uid?: number; gid?: number } => ({
  ...(uid === undefined ? {} : { uid }),
  ...(gid === undefined ? {} : { gid }),
})

/** Finds the way in which `program` can be executed and `dir` be entered; `undefined` if root alone can. */
export function tryUnprivileged(program: string, dir: string): Unprivileged | undefined {
  const owner = unprivilegedOwner()
  if (owner === undefined) return asWeAre
  const plain: Unprivileged = { owner, ...owner, command: plainly }
  if (works(plain, program, dir)) return plain
  for (const power of powers) {
    const way: Unprivileged = { owner, command: (command, dieBy) => withPower(power, owner, command, dieBy) }
    if (works(way, program, dir)) return way
  }
  return undefined
}

function plainly(command: string, dieBy?: 'TERM' | 'INT') {
  return dieBy === undefined ? { command, prefix: [] } : dieWithParent(dieBy, command)
}

function withPower(
  power: string,
  owner: { uid: number; gid: number },
  command: string,
  dieBy: 'TERM' | 'INT' | undefined,
) {
  const user = [`--reuid=${owner.uid}`, `--regid=${owner.gid}`, '--clear-groups']
  const kept = ['--securebits=+no_setuid_fixup', `--inh-caps=+${power}`, `--ambient-caps=+${power}`]
  const death = dieBy === undefined ? [] : ['--pdeathsig', dieBy]
  return { command: 'setpriv', prefix: [...user, ...kept, ...death, command] }
}

// Changing into the directory needs the same right as reaching what is below it.
function works(way: Unprivileged, program: string, dir: string): boolean {
  const { command, prefix } = way.command('/bin/sh')
  const script = 'cd "$1" && exec "$2" --version'
  const { status } = spawnSync(command, [...prefix, '-c', script, 'sh', dir, program], {
    cwd: '/',
    ...userOf(way),
  })
  return status === 0
}

/** Who root's processes are instead of root; `undefined` when we are not root. */
export function unprivilegedOwner(): Unprivileged['owner'] {
  if (process.getuid?.() !== 0) return undefined
  const id = (flag: string) => Number(execFileSync('id', [flag, 'nobody'], { encoding: 'utf8' }))
  return { uid: id('-u'), gid: id('-g') }
}
