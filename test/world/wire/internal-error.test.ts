import { Agent, request } from 'undici'
import { expect, test } from 'vitest'
import { bindApi } from '../../../src/world/wire/index.ts'

test('bindApi() answers 500 to a request with a body that the API breaks on', async () => {
  const bound = await bindApi({
    api: {
      handle: () => {
        throw new Error('broken')
      },
      openWatch: () => ({ close: () => {} })
    }
  })
  const dispatcher = new Agent({ connect: { ca: bound.ca } })
  try {
    const { statusCode, body } = await request(`${bound.url}/api/v1/namespaces`, {
      method: 'POST',
      dispatcher,
      headers: { authorization: `Bearer ${bound.token}`, 'content-type': 'application/json' },
      body: '{}'
    })
    expect(statusCode).toBe(500)
    expect(await body.json()).toMatchObject({ reason: 'InternalError', message: 'Internal error occurred: broken' })
  } finally {
    await dispatcher.close()
    await bound.close()
  }
})
