import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { promisify } from 'node:util'

const execute = promisify(execFile)

/** The command line of a live process; undefined when there is none (a zombie counts as none). */
export async function commandLineOf(pid: number): Promise<string | undefined> {
  const linux = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => undefined)
  if (linux !== undefined) return linux === '' ? undefined : linux.replaceAll('\0', ' ').trim()
  return await readPs(pid, 'command')
}

/**
 * When a process started, in words that mean nothing but are the same as long as it lives. With the process
 * id it names a process for good: ids are used again, in containers soon. A zombie has ended, and has no
 * start.
 */
export async function startOf(pid: number): Promise<string | undefined> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => undefined)
  if (stat === undefined) return await readPs(pid, 'lstart')
  const boot = await readFile('/proc/sys/kernel/random/boot_id', 'utf8').catch(() => '')
  // Fields 3 and 22; the program's name, field 2, stands in parentheses and may hold spaces.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return fields[0] === 'Z' ? undefined : `${boot.trim()} ${fields[19]}`
}

async function readPs(pid: number, column: string): Promise<string | undefined> {
  const args = ['-ww', '-o', 'stat=', '-o', `${column}=`, '-p', String(pid)]
  const answer = await execute('ps', args).catch(() => undefined)
  const [state, text] = /^\s*(\S+)\s+(.*)/.exec(answer?.stdout ?? '')?.slice(1) ?? []
  return state?.startsWith('Z') ? undefined : text?.trim()
}
