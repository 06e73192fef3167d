import { expect, test } from 'vitest'
import { isSentinelUrl, parseSentinelUrl } from '../src/trouble/sentinel-url.ts'
import { triedAt } from '../src/trouble/tried.ts'

const nobody = { redis: {}, sentinel: {} }

test.each([
  [
    'redis+sentinel://s1:1,s2:2,s3/main',
    { ...nobody, sentinels: [at('s1', 1), at('s2', 2), at('s3', 26_379)], name: 'main', isTls: false },
  ],
  [
    'rediss+sentinel://[::1]:1,10.0.0.1/my-primary.1',
    { ...nobody, sentinels: [at('::1', 1), at('10.0.0.1', 26_379)], name: 'my-primary.1', isTls: true },
  ],
  [
    'redis+sentinel://gateway:p%40ss%2F@s/main?sentinel_user=w&sentinel_password=a%26b',
    {
      sentinels: [at('s', 26_379)],
      name: 'main',
      isTls: false,
      redis: { username: 'gateway', password: 'p@ss/' },
      sentinel: { username: 'w', password: 'a&b' },
    },
  ],
  [
    'redis+sentinel://:secret@s/main?sentinel_password=other',
    {
      sentinels: [at('s', 26_379)],
      name: 'main',
      isTls: false,
      redis: { password: 'secret' },
      sentinel: { password: 'other' },
    },
  ],
])('%s names Sentinels and their primary', (url, expected) => {
  expect(isSentinelUrl(url)).toBe(true)
  expect(parseSentinelUrl(url)).toEqual(expected)
})

test.each([
  ['redis+sentinel:s1/main', /^must end with the name/],
  ['redis+sentinel://u:secret@s1:26379', /^must end with the name.*HOST:PORT,HOST:PORT\/NAME/],
  ['redis+sentinel://u:secret@s1:26379/', /^must end with the name/],
  ['redis+sentinel://u:secret@s1:26379/main/0', /^must name the Sentinels as HOST:PORT/],
  ['redis+sentinel:///main', /^must name the Sentinels/],
  ['redis+sentinel://s1:26379,,s2/main', /^must name the Sentinels/],
  ['redis+sentinel://s1:0/main', /^must name the Sentinels/],
  ['redis+sentinel://s1:65536/main', /^must name the Sentinels/],
  ['redis+sentinel://u:secret%@s1/main', /is not escaped: % is %25/],
  ['redis+sentinel://u:sec:ret@s1/main', /is not escaped/],
  ['redis+sentinel://s1/main?db=1', /takes sentinel_user and sentinel_password/],
  ['redis+sentinel://s1/main?sentinel_user=secret', /no sentinel_password/],
])('%s is refused in words', (url, words) => {
  expect(isSentinelUrl(url)).toBe(true)
  const wrong = parseSentinelUrl(url)
  expect(wrong).toMatch(words)
  expect(wrong).not.toContain('secret')
})

test('a log tells the Sentinels, the name and the user, and no password', () => {
  const url = 'redis+sentinel://gateway:secret@s1:1,s2/main?sentinel_user=w&sentinel_password=secret'
  expect(triedAt(url)).toBe('Tried user gateway, primary main of the Sentinels at s1:1, s2:26379')
  expect(triedAt('redis+sentinel://u:secret@s1')).toBe('')
})

function at(host: string, port: number) {
  return { host, port }
}
