/**
 * Processor time by process, and what others on the machine took meanwhile. On a machine with few cores this says
 * what the limit was. It is read from Linux's /proc; elsewhere there are no figures.
 * https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html
 */
import { readdirSync, readFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import process from 'node:process'
import { nowMs } from './clock.ts'

/**
 * A process id, or a parent's whose children and theirs are counted with it, gone ones included: PostgreSQL's. Or those of
 * several processes that count together.
 */
type Counted = number | { readonly family: number } | { readonly all: readonly number[] }

export type Processes = Readonly<Record<string, Counted>>

export interface ProcessorTime {
  /** From the meter's start to its stop. */
  readonly clockSeconds: number
  /** Processor seconds by process, the benchmark itself included. */
  readonly cpu: Readonly<Record<string, number>>
  /** Share of the machine's processor time that none of these took; `null` when it is not known. */
  readonly foreign: number | null
}

const ticksASecond = 100 // USER_HZ: the same on all platforms that Node runs on

/** Begins to measure. The function that it returns gives what was used since. */
export function startMeter(processes: Processes): () => ProcessorTime {
  const all = { ...processes, bench: process.pid }
  const startedAt = nowMs()
  const before = cpuOf(all)
  const busyBefore = busyTicks()
  return () => {
    const clockSeconds = (nowMs() - startedAt) / 1_000
    const after = cpuOf(all)
    const busyAfter = busyTicks()
    const cpu = Object.fromEntries(
      Object.entries(after).map(([name, ticks]) => [name, (ticks - (before[name] ?? 0)) / ticksASecond]),
    )
    const ours = Object.values(cpu).reduce((sum, one) => sum + one, 0)
    if (busyBefore === undefined || busyAfter === undefined) return { clockSeconds, cpu, foreign: null }
    const foreignSeconds = (busyAfter - busyBefore) / ticksASecond - ours
    return { clockSeconds, cpu, foreign: Math.max(0, foreignSeconds / clockSeconds / availableParallelism()) }
  }
}

function cpuOf(processes: Processes): Record<string, number> {
  return Object.fromEntries(
    Object.entries(processes).flatMap(([name, counted]) => {
      const ticks = ticksOf(counted)
      return ticks === undefined ? [] : [[name, ticks]]
    }),
  )
}

function ticksOf(counted: Counted): number | undefined {
  if (typeof counted === 'number') return readStat(counted)?.used
  if ('family' in counted) return ticksOfFamily(counted.family)
  return counted.all.reduce((sum, pid) => sum + (readStat(pid)?.used ?? 0), 0)
}

function ticksOfFamily(parent: number): number | undefined {
  const own = readStat(parent)
  if (own === undefined) return undefined
  const living = childrenOf(parent).reduce((sum, child) => sum + (ticksOfFamily(child) ?? 0), 0)
  return own.used + own.ofGoneChildren + living
}

/** The process ids of a process's children, for instance of a postmaster's backends. */
export const childrenOf = (parent: number): number[] =>
  listProc()
    .map(Number)
    .filter((pid) => Number.isInteger(pid) && readStat(pid)?.parent === parent)

/** The largest resident set that a process ever had, in bytes. */
export function peakResidentBytes(pid: number): number | undefined {
  const kilobytes = /^VmHWM:\s*(\d+) kB$/m.exec(readProc(`${pid}/status`) ?? '')?.[1]
  return kilobytes === undefined ? undefined : Number(kilobytes) * 1_024
}

function readStat(pid: number) {
  const stat = readProc(`${pid}/stat`)
  if (stat === undefined) return undefined
  // The program's name, field 2, stands in parentheses and may hold spaces; the first below is field 3.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  const at = (field: number) => Number(fields[field - 3])
  return { parent: at(4), used: at(14) + at(15), ofGoneChildren: at(16) + at(17) }
}

// user, nice, system, irq, softirq, steal: what the virtual machine's host took is not ours either.
function busyTicks(): number | undefined {
  const [, user, nice, system, , , irq, softirq, steal] =
    /^cpu .*$/m
      .exec(readProc('stat') ?? '')?.[0]
      .split(/\s+/)
      .map(Number) ?? []
  if (steal === undefined) return undefined
  return [user, nice, system, irq, softirq, steal].reduce<number>((sum, one) => sum + (one ?? 0), 0)
}

function listProc(): string[] {
  try {
    return readdirSync('/proc')
  } catch {
    return [] // not Linux
  }
}

function readProc(path: string): string | undefined {
  try {
    return readFileSync(`/proc/${path}`, 'utf8')
  } catch {
    return undefined // not Linux, or the process is gone
  }
}
