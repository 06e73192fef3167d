/** What every process of ours says of itself, by the names that Prometheus's own clients have for it. */
import { readdirSync } from 'node:fs'
import { monitorEventLoopDelay, performance } from 'node:perf_hooks'
import process from 'node:process'
import manifest from '../../package.json' with { type: 'json' }
import type { Metrics } from './metrics.ts'

/**
 * How often it is looked at whether the event loop is late. Each look wakes the process: every 20 ms they would add half
 * to what an idle consumer costs, and whatever holds the loop up for longer than this is noticed all the same.
 */
const lookEveryMs = 100
/** The delay is that of the last one or two windows of this length: more than one scraper may ask. */
const windowMs = 15_000

/** Disposing ends the looks at the event loop. */
export function addProcessMetrics(metrics: Metrics, app: string): Disposable {
  const { read } = metrics
  const startedAt = Date.now() / 1_000 - process.uptime()
  const build = { app, version: manifest.version, node: process.version }
  const labels = Object.keys(build)
  read('gauge', ['sekali_build_info', 'What runs; always 1.'], () => [{ labels: build, value: 1 }], labels)
  read('gauge', ['process_start_time_seconds', 'When the process started, since 1970.'], () => startedAt)
  read('counter', ['process_cpu_seconds_total', 'Processor time, user and system.'], () => {
    const { user, system } = process.cpuUsage()
    return (user + system) / 1e6
  })
  read('gauge', ['process_resident_memory_bytes', 'Resident memory.'], () => process.memoryUsage.rss())
  read('gauge', ['process_open_fds', 'Open file descriptors.'], openFiles)
  read(
    'gauge',
    ['nodejs_heap_size_used_bytes', 'What lives, or has not been collected, in the heap of JavaScript.'],
    () => process.memoryUsage().heapUsed,
  )
  return addEventLoop(metrics)
}

/** A directory of the kernel's memory: to read it does no I/O. */
function openFiles(): number | undefined {
  try {
    return readdirSync('/proc/self/fd').length - 1 // that of the reading itself
  } catch {
    return undefined // not Linux
  }
}

function addEventLoop({ read }: Metrics): Disposable {
  const delays = monitorEventLoopDelay({ resolution: lookEveryMs })
  delays.enable()
  let before = 0
  // Node notes the time between two looks, so a loop that is never late has their distance.
  const late = () => (delays.count === 0 ? 0 : Math.max(0, delays.percentile(99) / 1e9 - lookEveryMs / 1e3))
  const turning = setInterval(() => {
    before = late()
    delays.reset()
  }, windowMs).unref()
  read(
    'gauge',
    ['nodejs_eventloop_delay_p99_seconds', 'By how much the event loop is late, 99 of 100 times at most.'],
    () => Math.max(before, late()),
  )
  const used = [
    'nodejs_eventloop_active_seconds_total',
    'How long the event loop had something to do.',
  ] as const
  read('counter', used, () => performance.eventLoopUtilization().active / 1e3)
  return {
    [Symbol.dispose]: () => {
      clearInterval(turning)
      delays.disable()
    },
  }
}
