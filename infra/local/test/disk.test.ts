import { eventually } from '@sekali/testkit/eventually'
import { expect, test } from 'vitest'
import { watchDisk } from '../src/system/disk.ts'

const noRoom = (path: string) => Object.assign(new Error('no'), { code: 'ENOSPC', syscall: 'write', path })

function ownDisk(bytes: number | undefined) {
  const said: string[] = []
  const state = { bytes }
  const disk = watchDisk(
    '/data',
    (part, what) => void said.push(`${part} ${what}`),
    () => state.bytes,
  )
  return { said, state, disk, [Symbol.dispose]: () => disk[Symbol.dispose]() }
}

test('a disk that is full is said once, with its path and what is free, and again when it has room', async () => {
  using own = ownDisk(4_096)
  let tries = 0
  const refresh = () => {
    tries += 1
    if (own.state.bytes === 4_096) own.disk.onTrouble(noRoom('/data/run.json.new'), refresh)
  }
  refresh()
  await eventually(() => expect(tries).toBeGreaterThan(2))
  expect(own.said).toEqual([
    expect.stringMatching(/^the disk of \/data is full, 4,096 bytes are free: make room\. .*503.*by itself/),
  ])
  own.state.bytes = 50_000_000
  await eventually(() => expect(own.said).toHaveLength(2))
  expect(own.said[1]).toBe('the disk of /data has room again: 50,000,000 bytes are free')
  const last = tries
  await eventually(() => expect(tries).toBeLessThanOrEqual(last + 1))
})

test('a file that cannot be written for another reason is named, and an error of another kind is thrown', () => {
  using own = ownDisk(undefined)
  const quota = Object.assign(noRoom('/data/run.json.new'), { code: 'EDQUOT' })
  own.disk.onTrouble(quota, () => {})
  own.disk.onTrouble(quota, () => {})
  expect(own.said).toEqual([
    expect.stringMatching(/^the file \/data\/run\.json\.new: your share of the disk is used up/),
  ])
  expect(() => own.disk.onTrouble(new Error('a mistake'), () => {})).toThrow('a mistake')
})
