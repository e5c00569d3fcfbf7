// SPDX-License-Identifier: MIT

internal import Features

extension ReadingDecoder {
    /// Fails where the machine of the last row belongs to another server.
    func checkShard(
        of rows: borrowing ReadingRows,
        _ pointer: RequestPointer
    ) throws(ServiceError) {
        guard let shard = format.limits.shard, format.needsID, let row = rows.rows.last else {
            return
        }
        let owner = shard.owner(of: rows.ids.span.extracting(row.id))
        guard owner != shard else { return }
        throw .misdirected(pointer: pointer.text("equipment_id"), owner: owner, shard: shard)
    }
}
