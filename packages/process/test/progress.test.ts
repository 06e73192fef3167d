import { PassThrough } from 'node:stream'
import type { WriteStream } from 'node:tty'
import { expect, test } from 'vitest'
import { openProgress } from '../src/terminal/progress.ts'

function written(isTTY: boolean): WriteStream & { text(): string } {
  let text = ''
  const stream = new PassThrough().on('data', (piece) => {
    text += piece
  })
  const terminal = {
    isTTY,
    columns: 120,
    cursorTo: () => true,
    moveCursor: () => true,
    clearLine: () => true,
  }
  return Object.assign(stream, terminal, { text: () => text }) as unknown as WriteStream & { text(): string }
}

test('where nobody watches there are lines, the last of them at the end', () => {
  const stream = written(false)
  {
    using progress = openProgress(stream)
    progress.stage('copying', 2_000)
    progress.update(1_500, '12.3 MB')
    progress.stage('reading')
    progress.update(7)
  }
  expect(stream.text()).toMatch(
    /^copying: 1,500 of 2,000, 12\.3 MB after \d+\.\d s\nreading: 7 after \d+\.\d s\n$/,
  )
})

test('on a terminal there is a bar, and a number where nobody knows the end', () => {
  const stream = written(true)
  {
    using progress = openProgress(stream)
    progress.stage('copying', 2_000)
    progress.update(2_000, '12.3 MB')
    progress.stage('reading')
    progress.update(7)
  }
  expect(stream.text()).toMatch(/copying +█+ 100% +2,000 of 2,000, 12\.3 MB +\d\.\d s/)
  expect(stream.text()).toMatch(/reading +7 +\d\.\d s/)
})
