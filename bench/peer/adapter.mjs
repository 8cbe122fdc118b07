// State of oidc-provider in Redis. One trip per call; everything expires.
import { Redis } from 'ioredis';

const CONSUMED_ONCE = new Set(['AuthorizationCode', 'RefreshToken', 'PushedAuthorizationRequest']);
const OF_A_GRANT = new Set(['AccessToken', 'AuthorizationCode', 'RefreshToken']);

export function redisAdapter(options) {
  const redis = new Redis({ ...options, keyPrefix: 'peer:', enableAutoPipelining: true });

  class RedisAdapter {
    constructor(model) {
      this.model = model;
      this.once = CONSUMED_ONCE.has(model);
    }

    key(id) {
      return `${this.model}:${id}`;
    }

    async upsert(id, payload, seconds) {
      const key = this.key(id);
      const text = JSON.stringify(payload);
      const all = redis.multi();
      if (this.once) {
        all.hset(key, 'payload', text);
        if (seconds) all.expire(key, seconds);
      } else if (seconds) {
        all.set(key, text, 'EX', seconds);
      } else {
        all.set(key, text);
      }
      if (OF_A_GRANT.has(this.model) && payload.grantId) {
        const members = `grant:${payload.grantId}`;
        all.rpush(members, key);
        if (seconds) all.expire(members, Math.max(seconds, 24 * 3600));
      }
      if (payload.uid) all.set(`uid:${payload.uid}`, id, 'EX', seconds || 3600);
      await all.exec();
    }

    async find(id) {
      if (!this.once) {
        const text = await redis.get(this.key(id));
        return text ? JSON.parse(text) : undefined;
      }
      const kept = await redis.hgetall(this.key(id));
      if (!kept.payload) return undefined;
      const payload = JSON.parse(kept.payload);
      if (kept.consumed) payload.consumed = Number(kept.consumed);
      return payload;
    }

    async findByUid(uid) {
      const id = await redis.get(`uid:${uid}`);
      return id ? this.find(id) : undefined;
    }

    async findByUserCode() {
      return undefined; // the device flow is off
    }

    async consume(id) {
      await redis.hset(this.key(id), 'consumed', Math.floor(Date.now() / 1000));
    }

    async destroy(id) {
      await redis.del(this.key(id));
    }

    async revokeByGrantId(grantId) {
      const members = `grant:${grantId}`;
      const keys = await redis.lrange(members, 0, -1);
      await redis.del(members, ...keys);
    }
  }
  return RedisAdapter;
}
