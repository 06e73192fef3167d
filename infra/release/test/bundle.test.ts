import { expect, test } from 'vitest'
import { breakLines } from '../src/bundle.ts'

test('each statement and each member of a class has a line, and texts stay as they are', () => {
  const dollar = '$' // a lint takes the texts of the test for templates
  const code = [
    `const a=\`x;${dollar}{(()=>{b();return\`y;z\`})()}\`,h=1;`,
    'class C{d=1;e(){if(a)return 2;else f();for(;;)g()}}export{C};',
  ].join('')
  expect(breakLines(code)).toBe(
    [
      `const a=\`x;${dollar}{(()=>{`,
      'b();',
      'return`y;z`})()}`,',
      'h=1;',
      'class C{',
      'd=1;',
      'e(){',
      'if(a)return 2;else f();',
      'for(;;)g()}}',
      'export{C};',
    ].join('\n'),
  )
})
