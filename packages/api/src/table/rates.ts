import { limits } from '@sekali/core/limits'
import { wholeNumber } from '@sekali/core/whole-number'
import * as v from 'valibot'
import { defineRoute } from '../route.ts'
import { exampleRates, Rates, RatesOfTopics, TopicRates } from '../schemas/rates.ts'
import { Topic, TopicPattern } from '../schemas/text.ts'

export const readRates = defineRoute({
  id: 'readRates',
  method: 'GET',
  path: '/rates',
  scope: 'read',
  tag: 'operate',
  summary: 'Events a second over the last hour',
  description:
    'Of all topics together in intervals of 10 s; with `topic` of one, or of each of a pattern, in intervals of a minute. Each gateway samples the figures of the whole system from its start on, of 5,000 topics at most. What it does not know is null.',
  request: {
    query: {
      topic: {
        schema: v.optional(TopicPattern),
        description: 'Of this topic, or of each that a pattern matches.',
        example: 'orders.>',
      },
      limit: {
        schema: wholeNumber(1, limits.pageSizeMax, limits.pageSizeMax),
        description: 'At most so many topics of a pattern.',
        example: '100',
      },
      after: {
        schema: v.optional(Topic),
        description: 'Topics of a pattern whose names come behind this one.',
        example: 'orders.eu.paid',
      },
    },
  },
  answers: [
    {
      status: 200,
      description: 'The rates. There is a link to the next page of topics.',
      mediaType: 'application/json',
      schema: v.union([Rates, TopicRates, RatesOfTopics]),
      example: exampleRates,
      headers: { Link: 'sometimes' },
    },
  ],
  problems: ['invalid_parameters'],
})
