/**
 * `--import` of a program that is measured: says on a port of its own (BENCH_LOOP_PORT) what its event loop was held up
 * by at most since it was asked last, in milliseconds. `busyMs` is processor time of its thread between two looks: what
 * it did without a pause, whatever others took of the machine meanwhile. `lateMs` is by the clock.
 */
import { createServer } from 'node:http'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import process from 'node:process'

const lookEveryMs = 1
const delays = monitorEventLoopDelay({ resolution: lookEveryMs })
delays.enable()

const usedMs = () => {
  const { user, system } = process.threadCpuUsage()
  return (user + system) / 1e3
}
let before = usedMs()
let busyMs = 0
setInterval(() => {
  const now = usedMs()
  busyMs = Math.max(busyMs, now - before)
  before = now
}, lookEveryMs).unref()

const server = createServer((_request, response) => {
  // Node notes the time between two looks.
  const lateMs = Math.max(0, delays.max / 1e6 - lookEveryMs)
  response.end(JSON.stringify({ busyMs, lateMs }))
  delays.reset()
  busyMs = 0
})
server.listen(Number(process.env.BENCH_LOOP_PORT), '127.0.0.1')
server.unref()
