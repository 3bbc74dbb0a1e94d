package bank;

import java.sql.Connection;

/**
 * Business code.  Each method runs in the transaction that also writes the fence row: it may touch
 * {@code db} and nothing else, and neither commits nor rolls back.  It may run more than once.
 */
interface Action {
    /** Says a business no to a try. */
    final class Refused extends Exception {
        final String code;

        Refused(String code, String text) {
            super(text);
            this.code = code;
        }
    }

    /** Is never tried; which actions are so stands here, not in the request. */
    interface ConfirmOnly extends Action {
        @Override
        default byte[] reserve(Connection db, byte[] payload) {
            throw new IllegalStateException("a confirm-only action is not tried");
        }

        @Override
        default void cancel(Connection db, byte[] payload) {
            throw new IllegalStateException("what was never confirmed has no row, and nothing to undo");
        }
    }

    /** The try: reserves what confirm will need.  Its result is told to the initiator. */
    byte[] reserve(Connection db, byte[] payload) throws Exception;

    void confirm(Connection db, byte[] payload) throws Exception;

    void cancel(Connection db, byte[] payload) throws Exception;
}
