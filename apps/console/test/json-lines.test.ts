import { expect, test } from 'vitest'
import { jsonLines, lineText } from '../src/text/json-lines.ts'

const shown = (text: string) => jsonLines(text).map(lineText)

test('JSON is set out on lines, each token as it was written', () => {
  expect(shown('{"n":9007199254740993,"d":12.50,"e":[],"o":{},"l":[1,{"a":"x, y: {"}],"n":null}')).toEqual([
    '{',
    '  "n": 9007199254740993,',
    '  "d": 12.50,',
    '  "e": [],',
    '  "o": {},',
    '  "l": [',
    '    1,',
    '    {',
    '      "a": "x, y: {"',
    '    }',
    '  ],',
    '  "n": null',
    '}',
  ])
  expect(shown('-1.50E+07')).toEqual(['-1.50E+07'])
  expect(shown('"\\"{\\\\"')).toEqual(['"\\"{\\\\"'])
})

test('nothing but white space is lost, whatever the text is', () => {
  for (const text of ['{"a":[1,2,{"b":[[],{}]}]}', '}{][', '{"a":', 'no JSON at "all', '']) {
    const tokens = jsonLines(text).flatMap(({ tokens }) => tokens)
    expect(tokens.join('')).toBe(text.replaceAll(' ', ''))
  }
})
