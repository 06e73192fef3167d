import { expect, test } from 'vitest'
import { refusalOf } from '../set-up/node-version.mjs'

test('the command line runs on Node 20, and says so below', () => {
  expect(refusalOf('18.20.8', undefined)).toMatch(/^Node 20 or newer is needed, and this is 18\.20\.8\./)
  for (const version of ['20.0.0', '20.20.2', '22.1.0', '24.0.0', '27.0.0'])
    expect(refusalOf(version, undefined)).toBeUndefined()
})

test('what brings the whole system needs a Node that strips types, and says so below', () => {
  for (const version of ['20.20.2', '21.7.3', '22.17.1', '23.5.0'])
    expect(refusalOf(version, 'start')).toMatch(
      /^start needs Node 22\.18 or newer, and this is .* only projection check needs that.* nvm install/,
    )
  for (const version of ['22.18.0', '22.23.3', '23.6.0', '24.0.0', '25.1.0', '26.0.0'])
    expect(refusalOf(version, 'demo')).toBeUndefined()
})
