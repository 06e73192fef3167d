import { readdir, readFile, readlink } from 'node:fs/promises'
import { commandLineOf } from './process-info.ts'

export interface Listener {
  readonly pid: number
  /** The command line. */
  readonly command: string
  /** The process that has started it. */
  readonly parent: { readonly pid: number; readonly command: string }
}

const listening = '0A' // as /proc/net/tcp calls the state

/** Who listens on a TCP port; undefined where that cannot be known: no Linux, or another user's process. */
export async function listenerOn(port: number): Promise<Listener | undefined> {
  const sockets = new Set([...(await socketsOn(port, 'tcp')), ...(await socketsOn(port, 'tcp6'))])
  if (sockets.size === 0) return undefined
  const pids = (await readdir('/proc').catch(() => [])).filter((name) => /^\d+$/.test(name))
  for (const pid of pids) {
    const files = await readdir(`/proc/${pid}/fd`).catch(() => []) // another user's, or gone
    const links = files.map((fd) => readlink(`/proc/${pid}/fd/${fd}`).catch(() => ''))
    if (!(await Promise.all(links)).some((link) => sockets.has(link))) continue
    const parent = await parentOf(pid)
    const [command = '', itsCommand = ''] = [await commandLineOf(Number(pid)), await commandLineOf(parent)]
    return { pid: Number(pid), command, parent: { pid: parent, command: itsCommand } }
  }
  return undefined
}

async function parentOf(pid: string): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '')
  return Number(/^PPid:\s*(\d+)/m.exec(status)?.[1] ?? 0)
}

/** `socket:[INODE]`, as the descriptors of a process name them. https://man7.org/linux/man-pages/man5/proc_net.5.html */
async function socketsOn(port: number, table: 'tcp' | 'tcp6'): Promise<string[]> {
  const text = await readFile(`/proc/net/${table}`, 'utf8').catch(() => '')
  const wanted = `:${port.toString(16).toUpperCase().padStart(4, '0')}`
  return text.split('\n').flatMap((line) => {
    const [, local, , state, , , , , , inode] = line.trim().split(/\s+/)
    return local?.endsWith(wanted) && state === listening ? [`socket:[${inode}]`] : []
  })
}
