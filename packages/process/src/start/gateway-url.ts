/** Where a command finds the gateway: from its option, from the environment, or on this machine. */
export const gatewayUrl = {
  variable: 'SEKALI_URL',
  byDefault: 'http://127.0.0.1:8080',
  expected: 'It must begin with http:// or https://.',
  isValid: (text: string): boolean => URL.canParse(text) && /^https?:$/.test(new URL(text).protocol),
} as const
