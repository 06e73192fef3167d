import { expect, test } from 'vitest'
import { isPrinted, stepsOf } from './page.ts'

const page = `# Try it
\`\`\`sh
curl -s http://127.0.0.1:8080/events
\`\`\`

\`\`\`json
[{"seq":1,
  "payload":{"total": 12.50}}]
\`\`\`
\`\`\`js
not.typed()
\`\`\`
\`\`\`text Ctrl-C
…
everything is stopped
\`\`\`
`

test('a page has commands with what they print, and Ctrl-C', () => {
  expect(stepsOf(page)).toEqual([
    {
      line: 3,
      command: 'curl -s http://127.0.0.1:8080/events',
      output: '[{"seq":1,"payload":{"total": 12.50}}]',
    },
    { line: 14, output: '…\neverything is stopped' },
  ])
})

test('a command that prints nothing on its page is refused, and so is what nothing prints', () => {
  expect(() => stepsOf('```sh\nls\n```\n')).toThrow('line 2: what does it print?')
  expect(() => stepsOf('```text\nhello\n```\n')).toThrow('line 2: no command prints this')
})

test.each<[string, string, string, boolean]>([
  ['the same', '{"seq":1}', '{"seq":1}', true],
  ['another number', '{"seq":2}', '{"seq":3}', false],
  ['nothing printed', '[{"seq":1}]', '[]', false],
  ['more than the page has', 'stored', 'stored\nand failed', false],
  ['less than the page has', 'stored\ntwice', 'stored', false],
  ['blank lines and blanks at the end', 'a\n\nb', 'a  \nb\n\n\n', true],
  ['blanks in a line', '{"total": 12.50}', '{"total":12.50}', false],
  ['… for a part of a line', '{"seq":1,"at":"…"}', '{"seq":1,"at":"2026-11-28"}', true],
  ['… for no more than a line', 'a…', 'a\nb', false],
  ['… for lines', '…\nready\n…', 'one\ntwo\nready\nthree', true],
  ['… for no line', '…\nready\n…', 'ready', true],
  ['… that does not hide what follows', '…\nready', 'one\nsteady', false],
  ['rates and durations', '4.8 s, 4,203 events/s', '19.1 s, 1,061 events/s', true],
  ['counts', '20,000 events', '19,999 events', false],
  ['colours', 'all well', '\u001b[32mall well\u001b[39m', true],
])('%s', (_name, output, printed, expected) => {
  expect(isPrinted(output, printed)).toBe(expected)
})
