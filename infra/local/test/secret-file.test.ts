import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'

const program = fileURLToPath(new URL('../src/start.ts', import.meta.url))

test.each(['DATABASE_URL', 'REDIS_URL'])('npm start takes %s from a file, or says why not', (name) => {
  const start = (env: NodeJS.ProcessEnv) =>
    spawnSync(process.execPath, [program], {
      env: { PATH: process.env.PATH, ...env },
      encoding: 'utf8',
      timeout: 30_000,
    })
  const missing = start({ [`${name}_FILE`]: '/nowhere' })
  expect(missing).toMatchObject({
    status: 2,
    stderr: expect.stringContaining(`${name}_FILE: the file cannot`),
  })
  const both = start({ [name]: 'redis://u:secret@h', [`${name}_FILE`]: '/nowhere' })
  expect(both).toMatchObject({ status: 2, stderr: expect.stringContaining('are both set') })
  expect(both.stderr).not.toContain('secret@')
  // Before anything starts, and with no word of what may be a password.
  const wrong = start({ [name]: 'mysql://u:secret@h' })
  expect(wrong).toMatchObject({
    status: 2,
    stderr: expect.stringMatching(new RegExp(`^\\n${name}: must be a URL that begins with [^{]*\n$`)),
  })
  expect(wrong.stderr).not.toContain('secret@')
})
