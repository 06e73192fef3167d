import type { WriteStream } from 'node:tty'
import { SingleBar } from 'cli-progress'
import { n } from './balance/balance.ts'

export interface Progress extends Disposable {
  /** Begins a stage, such as "publishing", that is complete at `total`. */
  stage(name: string, total: number): void
  update(value: number): void
}

const linesEveryMs = 2_000

/** A bar where somebody watches, otherwise a plain line now and then: logs keep what is written for good. */
export function openProgress(stream: WriteStream): Progress {
  return stream.isTTY ? openBar(stream) : openLines(stream)
}

function openBar(stream: WriteStream): Progress {
  const bar = new SingleBar({
    stream,
    format: '{stage} {bar} {percentage}%  {value} of {total}  {seconds} s',
    formatValue: (value, _options, type) => (type === 'value' || type === 'total' ? n(value) : String(value)),
    autopadding: true,
    barCompleteChar: '█',
    barIncompleteChar: '░',
    barsize: 32,
    fps: 10,
    hideCursor: true,
    gracefulExit: false, // its own signal handlers would race with ours
  })
  let stageAt = 0
  const seconds = () => ((performance.now() - stageAt) / 1_000).toFixed(1)
  return {
    stage(name, total) {
      if (bar.isActive) bar.stop()
      stageAt = performance.now()
      bar.start(total, 0, { stage: name.padEnd(10), seconds: seconds() })
    },
    update: (value) => bar.update(value, { seconds: seconds() }),
    [Symbol.dispose]() {
      if (bar.isActive) bar.stop()
    },
  }
}

function openLines(stream: NodeJS.WritableStream): Progress {
  let stage: { name: string; total: number; value: number; at: number } | undefined
  const print = () => {
    if (stage === undefined) return
    const { name, total, value, at } = stage
    stream.write(
      `${name}: ${n(value)} of ${n(total)} after ${((performance.now() - at) / 1_000).toFixed(1)} s\n`,
    )
  }
  const timer = setInterval(print, linesEveryMs)
  return {
    stage(name, total) {
      print()
      stage = { name, total, value: 0, at: performance.now() }
    },
    update(value) {
      if (stage !== undefined) stage.value = value
    },
    [Symbol.dispose]() {
      clearInterval(timer)
      print()
      stage = undefined
    },
  }
}
