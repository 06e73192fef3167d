import { PassThrough } from 'node:stream'
import type { WriteStream } from 'node:tty'
import { eventually } from '@sekali/testkit/eventually'
import { expect, test } from 'vitest'
import { openFileProgress } from '../src/terminal/file-progress.ts'

function written() {
  let text = ''
  const stream = new PassThrough().on('data', (piece) => {
    text += piece
  })
  return { stream: stream as unknown as WriteStream, text: () => text }
}

test('a file that takes longer than a second is told of, with events and bytes', async () => {
  const { stream, text } = written()
  const beganAt = performance.now()
  let lines = 0
  {
    using progress = openFileProgress(stream, true)
    await eventually(() => {
      for (let n = 0; n < 256; n++) progress.note('x'.repeat(99))
      lines += 256
      expect(performance.now() - beganAt).toBeGreaterThan(1_100)
    })
  }
  const megabytes = ((lines * 100) / 1e6).toFixed(1)
  expect(text()).toContain(`events: ${lines.toLocaleString('en-US')}, ${megabytes} MB after `)
})

test('nothing is told of what goes to a pipe, or is done soon', () => {
  const { stream, text } = written()
  {
    using pipe = openFileProgress(stream, false)
    using soon = openFileProgress(stream, true)
    for (let n = 0; n < 300; n++) for (const one of [pipe, soon]) one.note('x')
  }
  expect(text()).toBe('')
})
