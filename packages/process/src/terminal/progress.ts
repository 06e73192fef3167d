/** How far something is that people wait for. */
import type { WriteStream } from 'node:tty'
import { SingleBar } from 'cli-progress'

export interface Progress extends Disposable {
  /** Begins a stage, such as "publishing", that is complete at `total`; without it, nobody knows when. */
  stage(name: string, total?: number): void
  /** `note` is more that a person may like to know, such as `12 MB`. */
  update(value: number, note?: string): void
}

const linesEveryMs = 2_000

/** A bar where somebody watches, otherwise a plain line now and then: logs keep what is written for good. */
export function openProgress(stream: WriteStream): Progress {
  return stream.isTTY ? openBar(stream) : openLines(stream)
}

const barOf = '{stage} {bar} {percentage}%  {value} of {total}{note}  {seconds} s'
const counterOf = '{stage} {value}{note}  {seconds} s'

function openBar(stream: WriteStream): Progress {
  let bar: SingleBar | undefined
  let stageAt = 0
  const seconds = () => ((performance.now() - stageAt) / 1_000).toFixed(1)
  return {
    stage(name, total) {
      bar?.stop()
      stageAt = performance.now()
      bar = new SingleBar({
        stream,
        format: total === undefined ? counterOf : barOf,
        formatValue: (value, _options, type) =>
          type === 'value' || type === 'total' ? n(value) : String(value),
        autopadding: true,
        barCompleteChar: '█',
        barIncompleteChar: '░',
        barsize: 32,
        fps: 10,
        hideCursor: true,
        gracefulExit: false, // its own signal handlers would race with ours
      })
      bar.start(total ?? 0, 0, { stage: name.padEnd(10), seconds: seconds(), note: '' })
    },
    update: (value, note) => bar?.update(value, { seconds: seconds(), note: noteText(note) }),
    [Symbol.dispose]: () => bar?.stop(),
  }
}

interface Stage {
  readonly name: string
  readonly total: number | undefined
  readonly at: number
  value: number
  note: string | undefined
}

function openLines(stream: NodeJS.WritableStream): Progress {
  let stage: Stage | undefined
  const print = () => {
    if (stage === undefined) return
    const { name, total, value, note, at } = stage
    const of = total === undefined ? '' : ` of ${n(total)}`
    const seconds = ((performance.now() - at) / 1_000).toFixed(1)
    stream.write(`${name}: ${n(value)}${of}${noteText(note)} after ${seconds} s\n`)
  }
  const timer = setInterval(print, linesEveryMs).unref()
  return {
    stage(name, total) {
      print()
      stage = { name, total, value: 0, note: undefined, at: performance.now() }
    },
    update(value, note) {
      if (stage !== undefined) Object.assign(stage, { value, note })
    },
    [Symbol.dispose]() {
      clearInterval(timer)
      print()
      stage = undefined
    },
  }
}

const n = (value: number): string => Math.round(value).toLocaleString('en-US')
const noteText = (note: string | undefined): string => (note === undefined ? '' : `, ${note}`)
