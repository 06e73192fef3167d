import { expect, test } from 'vitest'
import { ClientLimit, Overloaded, StoreUnavailable } from '../src/errors.ts'

test('a refusal that may come by the thousand has no stack, and any other error has one', () => {
  const { stackTraceLimit } = Error
  for (const error of [new ClientLimit('too much'), new Overloaded('too much')]) {
    expect(error.stack).not.toContain('\n')
    expect(error.message).toBe('too much')
  }
  expect(new StoreUnavailable('away').stack).toContain('errors.test.ts')
  expect(Error.stackTraceLimit).toBe(stackTraceLimit)
})
